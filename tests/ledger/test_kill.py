"""What a killed daemon had reported as durable is there, and its books prove themselves."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from otari_daemon.store import usage
from otari_daemon.store.database import Session
from otari_daemon.store.verify import verify
from tests.ledger.support import open_store

CYCLES = 20
SEED = 20_251_122
LINE_MAX = 2_000


def test_nothing_reported_durable_is_lost_to_twenty_kills(tmp_path: Path) -> None:
    path, rng = tmp_path / "ledger.db", random.Random(SEED)

    for cycle in range(CYCLES):
        reported = _work_and_kill(path, cycle, lines=rng.randint(1, LINE_MAX))
        _check(path, reported)


def _work_and_kill(path: Path, seed: int, lines: int) -> list[list[str]]:
    command = [sys.executable, "-m", "tests.ledger.victim", str(path), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as victim:
        assert victim.stdout is not None
        assert victim.stderr is not None
        seen = [victim.stdout.readline() for _ in range(lines)]
        os.kill(victim.pid, signal.SIGKILL)
        rest, complaint = victim.stdout.read(), victim.stderr.read()
    assert complaint == b""
    whole = b"".join(seen) + rest
    return [line.decode().split() for line in whole.splitlines()]


def _check(path: Path, reported: list[list[str]]) -> None:
    store, _ = open_store(path)
    report = store.read_now(verify)
    assert report.clean, report.findings
    assert store.read_now(usage.open_holds) == []
    store.read_now(_all_there, reported)
    store.close_now()


def _all_there(session: Session, reported: list[list[str]]) -> None:
    for what, rid, *amount in reported:
        row = usage.one(session, bytes.fromhex(rid))
        assert row is not None, f"{what} {rid} is lost"
        if amount:
            assert row.posted == int(amount[0]), f"{rid} was settled otherwise"
