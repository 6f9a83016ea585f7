"""What is true of every test process."""

from __future__ import annotations

from tests.postgres import cluster


def pytest_sessionfinish() -> None:
    """End the PostgreSQL of this process, if a test asked for one; a worker of xdist skips `atexit`."""
    if cluster.cache_info().currsize:
        cluster().remove()
