"""Book and store together against a model of four dictionaries, on a real database, in any order of steps.

python -m tests.ledger.machine --examples 2000 --engine postgresql
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)

from otari_daemon.domain.book import Hold
from otari_daemon.domain.money import Nano
from otari_daemon.domain.records import Progress, Reason
from otari_daemon.store.verify import verify
from tests.ledger.engines import ENGINES
from tests.ledger.support import NOW_MS, budget, commit, facts, open_store, outcome, rid_of
from tests.postgres import cluster

LIMITS = {1: 1_000, 2: 300, 3: None}
MEMORY = Path("/dev/shm")  # a disk would be asked to sync thousands of times
PROMPT_COST = 10
OUTPUT_COST = 2
STEPS = 25


class Ledger(RuleBasedStateMachine):
    """Requests on three accounts, commits and deaths."""

    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directory = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
        budgets = [budget(f"b{number}", limit) for number, limit in LIMITS.items()]
        self.url = self.new_url()
        self.store, self.book = open_store(self.url, *budgets)
        self.number = 0
        self.held: dict[bytes, tuple[tuple[int, ...], int]] = {}
        self.spent = dict.fromkeys(LIMITS, 0)
        self.over = dict.fromkeys(LIMITS, 0)
        self.streamed: dict[bytes, int] = {}
        self.runner.run(self._start())

    @rule(target=holds, accounts=st.sets(st.sampled_from(list(LIMITS))), amount=st.integers(0, 400))
    def reserve(self, accounts: set[int], amount: int) -> Hold | None:
        """A request arrives; it is admitted exactly if every account has room."""
        bundle = self.book.bundle(tuple(accounts), NOW_MS)
        self.number += 1
        made = self.book.reserve(
            rid_of(self.number), bundle, Nano(amount), facts(self.number, prompt=PROMPT_COST)
        )
        fits = amount == 0 or all(self._room(account, amount) for account in accounts)
        assert isinstance(made, Hold) == fits
        if not isinstance(made, Hold):
            return None
        self.held[made.rid] = (tuple(accounts), amount)
        return made

    @rule(hold=consumes(holds), share=st.floats(0, 1.3))
    def settle(self, hold: Hold | None, share: float) -> None:
        """A request ends with some part of what it held, or a little more."""
        if hold is None or hold.rid not in self.held:
            return
        accounts, amount = self.held.pop(hold.rid)
        actual = int(amount * share)
        self.book.settle(hold, Nano(actual), outcome(actual))
        for account in accounts:
            self.spent[account] += min(actual, amount)
            self.over[account] += max(0, actual - amount)

    @rule(hold=consumes(holds))
    def void(self, hold: Hold | None) -> None:
        """A request was never sent."""
        if hold is not None and self.held.pop(hold.rid, None) is not None:
            self.book.void(hold, outcome(0, Reason.UNSENT))

    @rule(hold=holds, tokens=st.integers(1, 300))
    def stream(self, hold: Hold | None, tokens: int) -> None:
        """A stream reports how far it is, durably."""
        if hold is not None and hold.rid in self.held:
            self.streamed[hold.rid] = tokens
            self.runner.run(commit(self.store, [*self.book.take_journal(), Progress(hold.rid, tokens)]))

    @rule()
    def drain(self) -> None:
        """Everything so far becomes durable."""
        self.runner.run(commit(self.store, self.book.take_journal()))

    @rule()
    def die(self) -> None:
        """All is committed, requests run, and the daemon dies: they are charged for what was seen of them."""
        self.drain()
        assert self.runner.run(self.store.close(5))
        for rid, (accounts, amount) in self.held.items():
            seen = PROMPT_COST + OUTPUT_COST * self.streamed.get(rid, 0)
            for account in accounts:
                self.spent[account] += min(amount, seen)
        self.held.clear()
        self.store, self.book = open_store(self.url)
        self.runner.run(self._start())

    @invariant()
    def agree(self) -> None:
        """The book says what the model says."""
        for number, account in self.book.accounts.items():
            held = sum(amount for accounts, amount in self.held.values() if number in accounts)
            balance = account.balance
            found = (0, 0, 0) if balance is None else (balance.posted, balance.held, balance.overage)
            assert found == (self.spent[number], held, self.over[number])

    def teardown(self) -> None:
        """The rows prove themselves."""
        self.drain()
        report = self.runner.run(self.store.read(verify))
        assert report.clean, report.findings
        assert self.runner.run(self.store.close(5))
        self.runner.close()
        shutil.rmtree(self.directory)

    def new_url(self) -> str:
        """An empty database."""
        return f"sqlite:///{self.directory}/ledger.db"

    async def _start(self) -> None:
        self.store.start(asyncio.get_running_loop())

    def _room(self, account: int, amount: int) -> bool:
        limit = LIMITS[account]
        held = sum(held for accounts, held in self.held.values() if account in accounts)
        return limit is None or (not self.over[account] and self.spent[account] + held + amount <= limit)


class LedgerOnAServer(Ledger):
    """The same on PostgreSQL."""

    def new_url(self) -> str:
        """An empty database."""
        return cluster().new_database()


def run(engine: str, examples: int) -> None:
    """Try so many orders of steps on an engine; raises what does not hold, with the steps that lead there."""
    machine = Ledger if engine == "sqlite" else LedgerOnAServer
    slow = [HealthCheck.too_slow]
    bounds = settings(stateful_step_count=STEPS, deadline=None, suppress_health_check=slow, print_blob=True)
    run_state_machine_as_test(machine, settings=settings(bounds, max_examples=examples))


def main() -> None:
    """Read the arguments, try, print one line."""
    parser = argparse.ArgumentParser(prog="python -m tests.ledger.machine")
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    wanted = parser.parse_args()
    begun_s = time.perf_counter()
    run(wanted.engine, wanted.examples)
    took_s = time.perf_counter() - begun_s
    print(f"{wanted.examples} examples on {wanted.engine}, the model and the books agree, {took_s:.1f} s")


if __name__ == "__main__":
    main()
