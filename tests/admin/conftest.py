"""A daemon's admin edge over a fake control plane, on a real socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from otari_daemon.admin.app import create_admin_app
from tests.admin.fake_operations import FakeOperations
from tests.admin.raw_admin import Admin
from tests.admin.served import Served, serve


@pytest.fixture
def operations() -> FakeOperations:
    return FakeOperations()


@pytest.fixture(scope="session")
def admin_socket() -> Iterator[Served]:
    with serve() as served:
        yield served


@pytest.fixture
def admin(admin_socket: Served, operations: FakeOperations) -> Admin:
    admin_socket.app = create_admin_app(operations, ())
    return Admin(admin_socket)
