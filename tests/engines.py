"""Both engines for every test that takes `database_url`; import the fixture into a conftest."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.postgres import cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each engine: a URL that `Store.open` takes."""
    return f"sqlite:///{tmp_path}/otari.db" if request.param == "sqlite" else cluster().new_database()
