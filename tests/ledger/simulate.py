"""Seeded histories of a ledger under every fault we know, checked after every step.

    python -m tests.ledger.simulate --histories 10000 --engine postgresql --seed 1

One history is a few accounts, requests in every phase at once, and a disk that lags behind, refuses and
forgets. The world keeps its own account of what must be true, by arithmetic of its own.
A failing history prints one line that plays it again.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from otari_daemon.domain.book import (
    Balance,
    BalanceKey,
    Book,
    Bundle,
    Correction,
    Drawn,
    Entry,
    Hold,
    HoldClosedTwice,
)
from otari_daemon.domain.budgets import Budget
from otari_daemon.domain.money import Nano
from otari_daemon.domain.records import Progress, Reason, RecoveredHold
from otari_daemon.domain.windows import Calendar, Every, Lifetime
from tests.ledger.engines import ENGINES, Engine, opened
from tests.ledger.model import Amounts, ModelDisk, require
from tests.ledger.support import FREE, NOW_MS, PRICE, TIER, budget, facts, outcome, rid_of

STEPS = 50
WINDOWS = (Lifetime(), Every(1_000, NOW_MS - 500), Every(60_000, 0), Calendar("day"))


Charges = dict[bytes, int | None]
"""Every hold's whole charge; None while open."""

Post = tuple[list[Entry | Progress], dict[BalanceKey, Amounts], Charges]
"""Entries not yet committed, and what must be true once they are."""


class Disk(Protocol):
    """What a history needs of a database."""

    def set_budget(self, number: int, budget: Budget) -> None: ...
    def apply(self, entries: Sequence[Entry | Progress]) -> None: ...
    def amounts(self) -> dict[BalanceKey, Amounts]: ...
    def charged(self) -> dict[bytes, int | None]: ...
    def drawn(self, rid: bytes) -> list[tuple[Balance, int, int]]: ...
    def restart(self, now_ms: int) -> tuple[int, Book, list[RecoveredHold]]: ...


MakeBook = Callable[[Book], Book]
MakeDisk = Callable[[list[Budget]], Disk]


class World:
    """One history. `made` may wrap the book, so that a planted bug can be tried."""

    def __init__(self, seed: int, make_disk: MakeDisk, made: MakeBook) -> None:
        self.rng = random.Random(seed)
        self.now_ms, self.number, self.steps = NOW_MS, 0, 0
        count = self.rng.randint(1, 3)
        self.budgets = [budget(f"b{n}", self._limit(), self.rng.choice(WINDOWS)) for n in range(count)]
        self.disk, self.made = make_disk(list(self.budgets)), made
        self.acknowledged: Charges = {}
        self.journal: list[Entry | Progress] = []
        self.queue: list[Post] = []
        self._restart()

    def run(self) -> None:
        """Play the whole history, drain it and stop cleanly."""
        for _ in range(self.rng.randint(STEPS // 2, STEPS * 3 // 2)):
            self.steps += 1
            self.rng.choices(_STEPS, _WEIGHTS)[0](self)
            self.check()
        for hold in list(self.open):
            self._close(hold, self.rng.randint(0, hold.amount))
        self.drain()
        self._commit(len(self.queue))
        self._crash()

    def check(self) -> None:
        """What must hold between any two steps."""
        for account in self.book.accounts.values():
            balance = account.balance
            if balance is None:
                continue
            found = (balance.posted, balance.held, balance.overage)
            require(found == self.expected.get(balance.key, (0, 0, 0)), f"the book knows {balance.key}")
            require(min(found) >= 0, "no amount is negative")
        require(self.book.open_holds.keys() == {hold.rid for hold in self.open}, "open holds are known")

    # -- requests --------------------------------------------------------------------------------------

    def reserve(self) -> None:
        """A request arrives."""
        accounts = list(self.book.accounts)
        chosen = tuple(self.rng.sample(accounts, self.rng.randint(0, len(accounts))))
        bundle = self.bundles.get(chosen)
        if bundle is None or self.now_ms >= bundle.until_ms or self.rng.random() < 0.1:
            bundle = self.bundles[chosen] = self.book.bundle(chosen, self.now_ms)
        free = self.rng.random() < 0.1
        amount = Nano(0 if free else self.rng.choice((1, 5, 40, 100)))
        self.number += 1
        rid = rid_of(self.number, self.epoch)
        before = [(b.posted, b.held, b.overage) for b in bundle.balances]
        room = all(self._room(bundle, place, amount) for place in range(len(bundle.balances)))
        hold = self.book.reserve(rid, bundle, amount, facts(self.number, FREE if free else PRICE, prompt=3))
        require(isinstance(hold, Hold) == (room or amount == 0), "admitted exactly if there is room")
        if isinstance(hold, Hold):
            self.open.append(hold)
            self._expect(hold, held=amount)
        else:
            after = [(b.posted, b.held, b.overage) for b in bundle.balances]
            require(before == after, "a refusal moves nothing")

    def settle(self) -> None:
        """A request ends; sometimes the provider bills more than was held."""
        if self.open:
            hold = self.rng.choice(self.open)
            most = hold.amount * 2 if self.rng.random() < 0.05 else hold.amount
            self._close(hold, self.rng.randint(0, most))

    def void(self) -> None:
        """A request is proven never to have been executed."""
        if self.open:
            hold = self.rng.choice(self.open)
            self._close(hold, None)

    def settle_twice(self) -> None:
        """A defect closes a hold again: it must raise and move nothing."""
        if self.closed:
            hold, entries = self.rng.choice(self.closed), len(self.book.journal)
            try:
                self.book.settle(hold, hold.amount, outcome(hold.amount))
            except HoldClosedTwice:
                require(len(self.book.journal) == entries, "a second close is not journaled")
                return
            require(holds=False, rule="a second close raises")

    def progress(self) -> None:
        """A stream says how far it is."""
        if self.open:
            self.journal.extend(self.book.take_journal())
            self.journal.append(Progress(self.rng.choice(self.open).rid, self.rng.randint(1, 30)))

    # -- operators and time ----------------------------------------------------------------------------

    def change_limit(self) -> None:
        """A limit moves, or its budget begins or ceases to watch only."""
        number = self.rng.randint(1, len(self.budgets))
        changed = replace(self.budgets[number - 1], limit=self._limit(), enforced=self.rng.random() < 0.8)
        self.budgets[number - 1] = changed
        self.disk.set_budget(number, changed)
        account = self.book.accounts[number]
        account.limit, account.enforced = changed.limit, changed.enforced

    def acknowledge(self) -> None:
        """An operator looks at an overage."""
        account = self.rng.choice(list(self.book.accounts.values()))
        blocked = account.balance is not None and account.balance.blocked
        require((self.book.acknowledge(account.id) > 0) == blocked, "only what blocks is acknowledged")
        require(account.balance is None or not account.balance.blocked, "then it blocks no more")

    def pass_time(self) -> None:
        """The clock moves on, leaps ahead, or is set back."""
        self.now_ms += self.rng.choice((1, 100, 700, 5_000, 90_000_000, -3_000, -100_000_000))

    def adjust(self) -> None:
        """Everything is on disk, and an operator corrects what a settled request was charged."""
        self.drain()
        self._commit(len(self.queue))
        closed = [rid for rid, charge in self.acknowledged.items() if charge is not None]
        drawn = [] if not closed else self.disk.drawn(rid := self.rng.choice(closed))
        if not drawn:
            return
        net = sum(drawn[0][1:])
        amount = self.rng.choice((-net, -self.rng.randint(0, net), 1, 30, 400))
        self.number += 1
        correction = Correction(rid, "test", str(self.number), amount, self.now_ms)
        legs = [Drawn(self.book.balance(balance.key) or balance, *had) for balance, *had in drawn]
        before = {leg.balance.key: self._amounts(leg.balance) for leg in legs}
        for leg, share in zip(legs, self.book.adjust(correction, tuple(legs)), strict=True):
            require(share.posted + share.overage == amount, "each ceiling takes the whole of it")
            require(amount > 0 or min(0, -leg.overage) <= share.overage <= 0, "no more than was overdrawn")
            posted, held, overage = before[share.key]
            self._within(share.key, share.posted, posted + held)
            self.expected[share.key] = (posted + share.posted, held, overage + share.overage)
        self.charges[rid] = net + amount

    def _within(self, key: BalanceKey, posted: int, drawn: int) -> None:
        """A debit raises what was posted only where it fits, and only in the newest period."""
        account = self.book.accounts[key.account_id]
        newest = account.balance is not None and account.balance.key == key
        require(posted <= 0 or newest, "a period that is over takes no more")
        limited = posted > 0 and account.enforced and account.limit is not None
        require(not limited or drawn + posted <= (account.limit or 0), "a debit is posted where it fits")

    @staticmethod
    def _amounts(balance: Balance) -> Amounts:
        return balance.posted, balance.held, balance.overage

    # -- the disk --------------------------------------------------------------------------------------

    def drain(self) -> None:
        """What the book did so far is posted."""
        entries = [*self.journal, *self.book.take_journal()]
        self.journal.clear()
        if entries:
            self.queue.append((entries, dict(self.expected), self._charges()))

    def commit(self) -> None:
        """Some posts, oldest first, become one transaction."""
        self._commit(self.rng.randint(0, len(self.queue)))

    def _commit(self, posts: int) -> None:
        if posts == 0:
            return
        taken, self.queue = self.queue[:posts], self.queue[posts:]
        self.disk.apply([entry for entries, _, _ in taken for entry in entries])
        _, expected, self.acknowledged = taken[-1]
        found = self.disk.amounts()
        for key, amounts in expected.items():
            require(found.get(key, (0, 0, 0)) == amounts, f"the disk is a state the book was in: {key}")
        charged = self.disk.charged()
        require(self.acknowledged.items() <= charged.items(), "what was acknowledged is there")

    def _crash(self) -> None:
        """Everything not committed is gone; the next daemon takes over."""
        before, open_then = self.disk.amounts(), {r for r, c in self.disk.charged().items() if c is None}
        closed = self._restart()
        require({each.rid for each in closed} == open_then, "recovery closes what was open")
        require(all(0 <= each.posted <= each.held for each in closed), "and within what was held")
        charged = self.disk.charged()
        require(None not in charged.values(), "recovery leaves nothing open")
        for rid, amount in self.acknowledged.items():
            require(amount is None or charged[rid] == amount, "a settled request keeps its charge")
        self.acknowledged = charged
        total = sum(posted for posted, _, _ in self.disk.amounts().values())
        require(total >= sum(posted for posted, _, _ in before.values()), "spending only grows")

    # -- arithmetic of its own -------------------------------------------------------------------------

    def _restart(self) -> list[RecoveredHold]:
        self.epoch, book, closed = self.disk.restart(self.now_ms)
        self.book = self.made(book)
        self.expected: dict[BalanceKey, Amounts] = dict(self.disk.amounts())
        self.open: list[Hold] = []
        self.closed: list[Hold] = []
        self.charges: Charges = {}
        self.bundles: dict[tuple[int, ...], Bundle] = {}
        self.queue.clear()
        self.journal.clear()
        return closed

    def _room(self, bundle: Bundle, place: int, amount: int) -> bool:
        account, balance = bundle.accounts[place], bundle.balances[place]
        if account.limit is None or not account.enforced:
            return True
        posted, held, overage = self.expected.get(balance.key, (0, 0, 0))
        return overage <= balance.acknowledged and posted + held + amount <= account.limit

    def _close(self, hold: Hold, actual: int | None) -> None:
        self.open.remove(hold)
        self.closed.append(hold)
        if actual is None:
            self.book.void(hold, outcome(0, Reason.UNSENT))
        else:
            price = TIER if hold.amount and self.rng.random() < 0.2 else PRICE
            self.book.settle(hold, Nano(actual), outcome(actual, price=price))
        posted = min(actual or 0, hold.amount)
        self._expect(hold, held=-hold.amount, posted=posted, overage=(actual or 0) - posted)
        self.charges[hold.rid] = actual or 0

    def _expect(self, hold: Hold, *, held: int = 0, posted: int = 0, overage: int = 0) -> None:
        self.charges.setdefault(hold.rid, None)
        for balance in hold.bundle.balances:
            then = self.expected.get(balance.key, (0, 0, 0))
            self.expected[balance.key] = (then[0] + posted, then[1] + held, then[2] + overage)

    def _charges(self) -> Charges:
        return {**self.acknowledged, **self.charges}

    def _limit(self) -> Nano | None:
        return self.rng.choice((None, Nano(0), Nano(100), Nano(250), Nano(1_000)))


_STEPS = (
    World.reserve,
    World.settle,
    World.void,
    World.settle_twice,
    World.progress,
    World.change_limit,
    World.acknowledge,
    World.pass_time,
    World.adjust,
    World.drain,
    World.commit,
    World._crash,
)
_WEIGHTS = (30, 18, 4, 3, 3, 3, 2, 5, 3, 12, 8, 2)


class Failed(AssertionError):
    """A history that broke a rule, as the arguments that play it again and what went wrong."""


def run(seed: int, made: MakeBook = lambda book: book, make_disk: MakeDisk = ModelDisk) -> int:
    """Play one history; return its steps, or raise `Failed`."""
    world = None
    try:
        world = World(seed, make_disk, made)
        world.run()
    except Exception as error:
        step = "start" if world is None else f"step {world.steps}"
        raise Failed(f"--histories 1 --seed {seed}  # {step}: {type(error).__name__}: {error}") from error
    return world.steps


def run_many(histories: int, first_seed: int, engine: Engine) -> int:
    """Play histories with consecutive seeds, some or all of them on an engine; return all steps."""
    seeds = range(first_seed, first_seed + histories)
    return sum(run(seed, make_disk=engine.disk_of(seed)) for seed in seeds)


def main(argv: list[str]) -> int:
    """Run and print one line; 1 when a history failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.ledger.simulate")
    parser.add_argument("--histories", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    wanted = parser.parse_args(argv)
    begun = time.perf_counter()
    try:
        with opened(wanted.engine) as engine:
            steps = run_many(wanted.histories, wanted.seed, engine)
    except Failed as failed:
        print(f"python -m tests.ledger.simulate --engine {wanted.engine} {failed}")
        return 1
    took_s = time.perf_counter() - begun
    rate = wanted.histories / took_s
    done = f"{wanted.histories} histories on {wanted.engine}, {steps} steps, 0 violations"
    print(f"{done}, {took_s:.1f} s, {rate:.1f} a second")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
