"""A daemon's admin edge over a fake control plane, on a real socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fake_operations import FakeOperations
from raw_admin import Admin
from served import serve

from otari_daemon.admin.app import create_admin_app


@pytest.fixture
def operations() -> FakeOperations:
    return FakeOperations()


@pytest.fixture
def admin(operations: FakeOperations) -> Iterator[Admin]:
    with serve(lambda: create_admin_app(operations, ())) as served:
        yield Admin(served)
