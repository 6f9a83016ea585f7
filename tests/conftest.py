"""What is true of every test process."""

from __future__ import annotations

import os

from hypothesis import settings

from tests.postgres import cluster

if "CI" not in os.environ:  # there, Hypothesis has a profile of its own that waits as well
    settings.register_profile("patient", deadline=None)
    settings.load_profile("patient")


def pytest_sessionfinish() -> None:
    """End the PostgreSQL of this process, if a test asked for one; a worker of xdist skips `atexit`."""
    if cluster.cache_info().currsize:
        cluster().remove()
