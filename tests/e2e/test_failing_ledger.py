"""A full disk, and a database that somebody else holds: nothing new is admitted, nothing old is lost."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.machine import Machine, nano

pytestmark = pytest.mark.e2e

HELLO = [{"role": "user", "content": "hello there"}]
DISK_BYTES = 80 << 20
"""A little more than the 64 MiB that must be free for anything to be admitted."""

WITHIN_S = 20.0


@pytest.fixture
def on_small_disk() -> Iterator[Machine]:
    """A daemon whose ledger is on a file system of its own; needs root, as CI is."""
    if os.geteuid() != 0:
        pytest.fail("mounting a small tmpfs needs root: run the tests as root")
    machine = Machine()
    state = machine.home / "state"
    state.mkdir(mode=0o700)
    size = f"size={DISK_BYTES},mode=700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", state], check=True)
    try:
        yield from started(machine)
    finally:
        subprocess.run(["umount", "-l", state], check=True)


@pytest.fixture
def machine() -> Iterator[Machine]:
    """A daemon of one's own."""
    yield from started(Machine())


def started(made: Machine) -> Iterator[Machine]:
    try:
        made.start()
        made.key = made.new_key(key_name="failing", budget="1000")
        yield made
    finally:
        made.stop()


def ask(machine: Machine, model: str, *, stream: bool = False) -> httpx.Response:
    """One request, read whole."""
    body = {"model": model, "messages": HELLO, "stream": stream}
    headers = {"authorization": f"Bearer {machine.key}"}
    url = f"{machine.url}/chat/completions"
    return httpx.post(url, json=body, headers=headers, timeout=WITHIN_S, verify=False)


def until(machine: Machine, holds: Callable[[Any], bool]) -> None:
    """Wait until the daemon's status is as it should be."""
    deadline = time.monotonic() + WITHIN_S
    while not holds(status := machine.ask("GET", "/status")):
        assert time.monotonic() < deadline, status
        time.sleep(0.02)


def readiness(machine: Machine) -> int:
    return httpx.get(machine.url.removesuffix("/v1") + "/health/readiness", verify=False).status_code


def begin(pool: ThreadPoolExecutor, machine: Machine) -> list[Future[httpx.Response]]:
    """Four requests under way for some seconds, whole and streamed, their holds on disk."""
    asked = [
        pool.submit(ask, machine, model, stream=stream)
        for model, stream in (("up:slow:4000", False), ("up:drip:8:500", True)) * 2
    ]
    until(machine, lambda status: status["open_holds"] == len(asked) and not status["ledger_backlog"])
    return asked


def refused(machine: Machine) -> None:
    """Nothing billable is admitted, and why is told."""
    answer = ask(machine, "up:echo")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "ledger_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert readiness(machine) == 503


def resumed(machine: Machine, rows: int) -> None:
    """It serves again, and every row is there."""
    until(machine, lambda status: status["ledger_available"])
    assert ask(machine, "up:echo").status_code == 200
    assert readiness(machine) == 200
    machine.quiet(WITHIN_S)
    assert len(machine.usage()) == rows + 1
    machine.verified()


def fill(ballast: Path) -> None:
    """Leave not a byte."""
    with ballast.open("wb", buffering=0) as file:
        for block in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:  # until the disk is full
                    file.write(b"\0" * block)


def test_a_full_disk_settles_what_is_in_flight_and_resumes_when_there_is_room(on_small_disk: Machine) -> None:
    machine, ballast = on_small_disk, on_small_disk.home / "state" / "ballast"
    with ThreadPoolExecutor() as pool:
        asked = begin(pool, machine)
        fill(ballast)
        until(machine, lambda status: not status["ledger_available"])
        refused(machine)
        answers = [each.result(WITHIN_S) for each in asked]
    machine.quiet(WITHIN_S)
    settled = machine.usage()
    refused(machine)
    ballast.unlink()

    assert [answer.status_code for answer in answers] == [200] * 4
    assert [row["reason"] for row in settled] == ["usage"] * 4
    resumed(machine, 4)


def test_a_database_held_by_another_writer_loses_nothing_and_resumes(machine: Machine) -> None:
    with ThreadPoolExecutor() as pool:
        asked = begin(pool, machine)
        with held(machine):
            answers = [each.result(WITHIN_S) for each in asked]
            until(machine, lambda status: not status["ledger_available"])
            refused(machine)
            assert machine.ask("GET", "/status")["ledger_backlog"] >= 4
            assert machine.ask("GET", "/v1/keys")

    assert [answer.status_code for answer in answers] == [200] * 4
    resumed(machine, 4)


def test_a_lock_met_by_a_write_that_is_no_request_is_noticed_to_be_gone(machine: Machine) -> None:
    """A key's creation fails while nothing is in flight: no settlement comes to find the database free."""
    with held(machine):
        status, _ = machine.admin("POST", "/v1/keys", {"key_name": "late"})
        until(machine, lambda status: not status["ledger_available"])

    assert status == 503
    resumed(machine, 0)


def test_a_stream_whose_hold_missed_the_disk_is_withheld(machine: Machine) -> None:
    with held(machine):
        answer = ask(machine, "up:drip:2000:10", stream=True)

    until(machine, lambda status: status["ledger_available"])
    machine.quiet(WITHIN_S)
    (row,) = machine.usage()
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "ledger_unavailable")
    assert (row["reason"], row["status_code"], row["status"]) == ("withheld", 503, "error")
    assert nano(row) > 0
    machine.verified()


@contextlib.contextmanager
def held(machine: Machine) -> Iterator[None]:
    """Hold the database's write lock from outside."""
    foreign = sqlite3.connect(machine.home / "state" / "otari.db", isolation_level=None, timeout=WITHIN_S)
    try:
        foreign.execute("BEGIN EXCLUSIVE")
        yield
        foreign.execute("ROLLBACK")
    finally:
        foreign.close()
