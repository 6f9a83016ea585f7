"""`otari` in this process, against a daemon's admin edge on a real socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from otari_cli.main import run
from otari_daemon.admin.app import create_admin_app
from tests.admin.fake_operations import FakeOperations
from tests.admin.served import Served, serve


class Ran(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


Otari = Callable[..., Ran]


@pytest.fixture
def operations() -> FakeOperations:
    return FakeOperations()


@pytest.fixture(scope="session")
def admin_socket() -> Iterator[Served]:
    with serve() as served:
        yield served


@pytest.fixture
def daemon(
    admin_socket: Served, operations: FakeOperations, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Served:
    """The daemon `otari` finds, and nothing else of this machine's configuration."""
    admin_socket.app = create_admin_app(operations, ())
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "OTARI_CONFIG", "OTARI_KEY", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OTARI_ADMIN_SOCKET", admin_socket.path)
    return admin_socket


@pytest.fixture
def otari(daemon: Served, capfd: pytest.CaptureFixture[str]) -> Otari:
    """Run a command line."""

    def command(*argv: str) -> Ran:
        capfd.readouterr()
        code = run(list(argv))
        return Ran(code, *capfd.readouterr())

    return command
