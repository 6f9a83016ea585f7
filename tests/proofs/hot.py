"""2,000 at once on a key whose limit fits 1,000: `python -m tests.proofs.hot --runs 200`.

Through the real control plane, ledger, writer thread and SQLite. Exactly 1,000 must be admitted; how long an
admission and its commit took is told, not judged.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from otari_daemon.domain.errors import BudgetExceeded
from otari_daemon.domain.limits import Limits
from otari_daemon.domain.money import format_usd
from otari_daemon.protocol.messages.keys import KeyCreate
from otari_daemon.store.verify import verify
from tests.control.world import ACTOR, WAIT_S, Entropy, HandClock, World, opened

ASKING = 2_000
FITTING = 1_000
TOKENS = 50
TOKEN_NANO = 1_000
LIMITS = Limits(in_flight=10 * ASKING)


class Hot(NamedTuple):
    """How a run went: admissions, refusals, what is held since, and commit times, rising."""

    admitted: int
    refused: int
    held: int
    waits_s: list[float]

    @property
    def exact(self) -> bool:
        """Whether as many were admitted as fit, and none is unaccounted for."""
        return (self.admitted, self.refused, self.held) == (FITTING, ASKING - FITTING, limit_nano())

    @property
    def p99_ms(self) -> float:
        """From asking to the hold on disk, in milliseconds, all but the slowest hundredth."""
        return self.waits_s[len(self.waits_s) * 99 // 100] * 1000


def limit_nano() -> int:
    """What exactly `FITTING` requests can cost."""
    return FITTING * TOKENS * TOKEN_NANO


async def hot(world: World, name: str) -> Hot:
    """Ask for everything at once with one fresh key, and settle nothing."""
    fields = KeyCreate(key_name=name, budget=format_usd(limit_nano()))
    made = await world.ops.create_key(fields, ACTOR, dry_run=False)

    async def ask() -> float | None:
        began_s = time.perf_counter()
        await asyncio.sleep(0)
        try:
            admission = await world.admit(made.key, TOKENS)
        except BudgetExceeded:
            return None
        assert await admission.opened.wait(WAIT_S)
        return time.perf_counter() - began_s

    held = world.ledger.held
    waits = await asyncio.gather(*(ask() for _ in range(ASKING)))
    admitted = sorted(wait for wait in waits if wait is not None)
    return Hot(len(admitted), waits.count(None), world.ledger.held - held, admitted)


async def run(runs: int) -> int:
    """Run so often, five to a database; print as it goes; give the number of runs that were not exact."""
    wrong, slowest = 0, 0.0
    for first in range(0, runs, 5):
        with tempfile.TemporaryDirectory() as folder:
            async with opened(Path(folder) / "hot.db", HandClock(), Entropy(), LIMITS) as world:
                for at in range(first, min(first + 5, runs)):
                    found = await hot(world, f"hot {at}")
                    wrong += not found.exact
                    slowest = max(slowest, found.p99_ms)
                wrong += not world.store.read_now(verify).clean
    print(f"{runs} runs of {ASKING} on room for {FITTING}: {wrong} inexact; worst p99 {slowest:.1f} ms")
    return wrong


def main() -> None:
    """Read the arguments; exit 1 when a run was not exact."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    sys.exit(1 if asyncio.run(run(parser.parse_args().runs)) else 0)


if __name__ == "__main__":
    main()
