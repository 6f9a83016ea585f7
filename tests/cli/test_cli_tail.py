"""`otari tail -f`: what happens, as it happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from otari_daemon.protocol.messages import Event
from tests.admin.fake_operations import REFUSAL, ROW, FakeOperations
from tests.admin.served import Served

PATIENCE_S = 20.0


@contextmanager
def _following(daemon: Served, *argv: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "otari_cli", "tail", *argv],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "OTARI_ADMIN_SOCKET": daemon.path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_a_feed_shows_requests_and_refusals(daemon: Served, operations: FakeOperations) -> None:
    for event in (Event("c1", "request", row=ROW), Event("c2", "refusal", refusal=REFUSAL)):
        daemon.call(operations.feed.put_nowait, event)

    with _following(daemon, "-f") as process:
        request, refusal = (_line(process).rstrip("\n") for _ in range(2))

    assert request.split("  ") == [
        "14:03:11", "200", "ci", "gpt-5.6", "21.3k/611", "first 604ms", "3.9s", "$0.0186", "usage", "req_1"
    ]  # fmt: skip
    assert refusal.split("  ") == ["14:03:11", "403", "ci", "gpt-5.6", "refused: no room in ci", "req_9"]


def test_a_line_comes_when_its_event_does(daemon: Served, operations: FakeOperations) -> None:
    with _following(daemon, "--after", "c0", "-o", "jsonl") as process:
        for cursor in ("c1", "c2"):
            event = Event(cursor, "request", row=replace(ROW, request_id=f"req_{cursor}"))
            daemon.call(operations.feed.put_nowait, event)
            assert json.loads(_line(process))["cursor"] == cursor

    assert operations.followed_after == ["c0"]


def test_what_was_and_what_comes_join_without_a_gap_or_a_double(
    daemon: Served, operations: FakeOperations
) -> None:
    operations.rows = [replace(ROW, request_id="req_2"), replace(ROW, request_id="req_1")]
    for name in ("req_2", "req_3"):
        event = Event(f"c_{name}", "request", row=replace(ROW, request_id=name))
        daemon.call(operations.feed.put_nowait, event)

    with _following(daemon, "-f", "--since", "2h") as process:
        lines = [_line(process) for _ in range(3)]

    assert [line.split()[-1] for line in lines] == ["req_1", "req_2", "req_3"]


def test_a_feed_that_ends_is_asked_for_again_after_its_last_event(
    daemon: Served, operations: FakeOperations
) -> None:
    for name in ("req_1", None, "req_1", "req_2"):
        row = replace(ROW, request_id=str(name))
        event = None if name is None else Event(f"c_{name}", "request", row=row)
        daemon.call(operations.feed.put_nowait, event)
    operations.rows = [replace(ROW, request_id="req_lost")]

    with _following(daemon, "-f") as process:
        lines = [_line(process) for _ in range(3)]

    assert [line.split()[-1] for line in lines] == ["req_1", "req_lost", "req_2"]
    assert operations.followed_after == [None, "c_req_1"]


def test_a_filter_lets_through_what_it_holds_for(daemon: Served, operations: FakeOperations) -> None:
    for event in (Event("c1", "request", row=ROW), Event("c2", "refusal", refusal=REFUSAL)):
        daemon.call(operations.feed.put_nowait, event)

    with _following(daemon, "-f", "status:>=400", "key:c*") as process:
        assert "refused" in _line(process)


def test_an_interrupt_ends_quietly(daemon: Served, operations: FakeOperations) -> None:
    daemon.call(operations.feed.put_nowait, Event("c1", "request", row=ROW))

    with _following(daemon, "-f") as process:
        _line(process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_S)

    assert (process.returncode, err) == (130, "")
