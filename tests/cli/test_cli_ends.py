"""Ends that are not the daemon's answer: no daemon, a broken one, a closed pipe, a person's no."""

from __future__ import annotations

import io
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from otari_cli.exits import Exit, exit_of
from otari_cli.main import run
from tests.admin.fake_operations import ROW, FakeOperations
from tests.admin.served import Served
from tests.cli.conftest import Otari

PATIENCE_S = 20.0
NOBODY = 65534


def test_without_a_daemon_the_way_to_one_is_shown(otari: Otari, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTARI_ADMIN_SOCKET", "/nowhere/admin.sock")

    ran = otari("keys", "list")

    assert ran == (
        6,
        "",
        "otari: no daemon answers at /nowhere/admin.sock\n"
        "hint: start one with `otari serve`, or name its socket with --admin-socket\n",
    )


def test_the_flag_goes_before_the_environment(otari: Otari) -> None:
    ran = otari("--admin-socket", "/elsewhere/admin.sock", "keys", "list")

    assert "/elsewhere/admin.sock" in ran.err


@contextmanager
def nobody() -> Iterator[None]:
    """Without root's leave to open every socket."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(was)


def test_a_socket_of_somebody_else_is_a_refusal(otari: Otari, daemon: Served) -> None:
    before = stat.S_IMODE(Path(daemon.path).stat().st_mode)
    Path(daemon.path).chmod(0)
    with nobody():
        ran = otari("keys", "list")
    Path(daemon.path).chmod(before)

    assert ran.code == 3


@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        (b"", 6, "the connection broke before an answer"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", 6, "the connection broke before an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nOtari-Protocol: 1\r\n\r\n[]", 6, "broke within an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", 1, "speaks admin protocol none"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nOtari-Protocol: 2\r\n\r\n[]",
            1,
            "speaks admin protocol 2",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nOtari-Protocol: 1\r\n\r\n[x", 1, "it is not JSON"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nOtari-Protocol: 1\r\n\r\n{}", 1, "a list was expected"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nOtari-Protocol: 1\r\n\r\n[{}]", 1, "id is missing"),
        (b"HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno", 1, "the daemon answered 503"),
        (
            b'HTTP/1.1 431 No\r\nContent-Length: 49\r\n\r\n{"error":{"message":"too long","code":"too_big"}}',
            1,
            "too long",
        ),
    ],
)
def test_an_answer_that_is_no_answer(
    otari: Otari, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes, code: int, says: str
) -> None:
    monkeypatch.setenv("OTARI_ADMIN_SOCKET", "odd.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("odd.sock")
        listener.listen()
        thread = threading.Thread(target=_answer_once, args=(listener, answer))
        thread.start()

        ran = otari("keys", "list")
        thread.join(PATIENCE_S)

    assert (ran.code, ran.out, says in ran.err) == (code, "", True), ran


def _answer_once(listener: socket.socket, answer: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(answer)


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, 2), (401, 3), (402, 3), (403, 3), (404, 4), (409, 5), (422, 2), (429, 3), (500, 1), (503, 1)],
)
def test_exit_codes_follow_the_daemons_refusal(status: int, code: int) -> None:
    assert exit_of(status) == code
    assert exit_of(404, "unknown_route") is Exit.FAILED


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("YES\n", 0), ("n\n", 1), ("\n", 1), ("", 1)])
def test_at_a_terminal_a_destructive_change_asks(
    otari: Otari, operations: FakeOperations, monkeypatch: pytest.MonkeyPatch, typed: str, code: int
) -> None:
    otari("users", "create", "ana")
    monkeypatch.setattr(sys, "stdin", _Terminal(typed))

    ran = otari("users", "delete", "ana")

    assert ran.code == code
    assert ran.err.startswith("delete ana and revoke their keys? [y/N] ")
    assert ("ana" in operations.users_by_id) == bool(code)


def test_a_closed_pipe_ends_quietly(operations: FakeOperations, daemon: Served) -> None:
    operations.rows = [ROW] * 5000
    ran = subprocess.run(
        f"set -o pipefail; {sys.executable} -m otari_cli usage --limit 5000 -o jsonl | head -n 1",
        shell=True,
        executable="/bin/bash",
        cwd=Path(__file__).parents[2],
        env={**os.environ, "OTARI_ADMIN_SOCKET": daemon.path},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert (ran.returncode, ran.stderr, ran.stdout.count("\n")) == (0, "", 1)


class _Became(Exception):
    """Where `execv` would have replaced this process."""


@pytest.mark.parametrize(
    ("argv", "becomes"),
    [
        (("serve",), ("otari_daemon",)),
        (
            ("serve", "--config", "c.yml", "--port", "0", "--log-level", "debug"),
            ("otari_daemon", "--config", "c.yml", "--port", "0", "--log-level", "debug"),
        ),
        (("mock", "--port", "0", "--help"), ("otari_daemon.mock", "--port", "0", "--help")),
    ],
)
def test_serve_and_mock_become_the_daemon_and_the_mock(
    monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...], becomes: tuple[str, ...]
) -> None:
    def execv(program: str, words: list[str]) -> None:
        raise _Became(program, *words)

    monkeypatch.setattr(os, "execv", execv)

    with pytest.raises(_Became) as became:
        run(list(argv))
    assert became.value.args == (sys.executable, sys.executable, "-m", *becomes)
