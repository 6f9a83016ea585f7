"""The database as a model: plain dictionaries, one journal entry at a time, every rule checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from otari_daemon.domain.book import (
    Adjusted,
    Balance,
    BalanceKey,
    Book,
    BundleOpened,
    Correction,
    Entry,
    HoldClosed,
    HoldOpened,
    OverageAcknowledged,
    Share,
)
from otari_daemon.domain.budgets import Budget, account_of
from otari_daemon.domain.money import Nano
from otari_daemon.domain.pricing import charge
from otari_daemon.domain.records import Facts, Progress, RecoveredHold
from otari_daemon.domain.usage import Usage
from otari_daemon.domain.windows import Period

Amounts = tuple[int, int, int]
"""Posted, held and overage of one balance."""


class Violation(AssertionError):
    """A rule of the ledger that did not hold."""


def require(holds: bool, rule: str) -> None:
    """Raise `Violation` naming the rule unless it holds."""
    if not holds:
        raise Violation(rule)


@dataclass(slots=True)
class HoldRow:
    """A hold as stored; `posted` None while open."""

    legs: tuple[BalanceKey, ...]
    held: int
    facts: Facts
    epoch: int
    progress: int = 0
    posted: int | None = None
    overage: int = 0
    corrected: dict[tuple[str, str], tuple[Share, ...]] = field(default_factory=dict)

    @property
    def charge(self) -> int | None:
        """All it is charged now; None while open."""
        if self.posted is None:
            return None
        first = (shares[0] for shares in self.corrected.values() if shares)
        return self.posted + self.overage + sum(share.posted + share.overage for share in first)


@dataclass(slots=True)
class BalanceRow:
    """A balance as stored; `limit` is the cap at the last admission."""

    limit: int | None = None
    posted: int = 0
    pending: int = 0
    overage: int = 0
    acknowledged: int = 0


@dataclass
class ModelDisk:
    """What the database must do, without one."""

    budgets: list[Budget]
    holds: dict[bytes, HoldRow] = field(default_factory=dict)
    balances: dict[BalanceKey, BalanceRow] = field(default_factory=dict)
    epoch: int = 0

    def set_budget(self, number: int, budget: Budget) -> None:
        """Replace the budget of account `number`, counted from 1."""
        self.budgets[number - 1] = budget

    def apply(self, entries: Sequence[Entry | Progress]) -> None:
        """Commit a batch: entry by entry, then every rule at once."""
        for entry in entries:
            self._take(entry)
        self.check()

    def _take(self, entry: Entry | Progress) -> None:
        match entry:
            case BundleOpened(bundle):
                for balance in bundle.balances:
                    self.balances.setdefault(balance.key, BalanceRow())
            case HoldOpened(hold, caps, facts):
                self._open(hold.rid, tuple(b.key for b in hold.bundle.balances), hold.amount, caps, facts)
            case HoldClosed(hold, posted, overage, _):
                self._close(hold.rid, posted or 0, overage)
            case OverageAcknowledged(key, amount):
                self.balances[key].acknowledged += amount
            case Adjusted(correction, shares):
                self._correct(correction, shares)
            case Progress(rid, tokens):
                self.holds[rid].progress = tokens

    def _open(
        self,
        rid: bytes,
        legs: tuple[BalanceKey, ...],
        amount: int,
        caps: tuple[Nano | None, ...],
        facts: object,
    ) -> None:
        require(rid not in self.holds, "a rid names one hold")
        self.holds[rid] = HoldRow(legs, amount, cast(Facts, facts), self.epoch)
        for key, cap in zip(legs, caps, strict=True):
            row = self.balances[key]
            row.pending += amount
            if amount:
                row.limit = cap
                require(cap is None or row.posted + row.pending <= cap, "admitted within the cap")

    def _close(self, rid: bytes, posted: int, overage: int) -> None:
        row = self.holds[rid]
        require(row.posted is None, "a hold is closed once")
        row.posted, row.overage = posted, overage
        for key in row.legs:
            balance = self.balances[key]
            balance.pending -= row.held
            balance.posted += posted
            balance.overage += overage

    def _correct(self, correction: Correction, shares: tuple[Share, ...]) -> None:
        row, name = self.holds[correction.rid], (correction.source, correction.ref)
        require(row.posted is not None, "only what is closed is corrected")
        require(name not in row.corrected, "a correction is made once")
        require({share.key for share in shares} == set(row.legs), "every ceiling is corrected")
        row.corrected[name] = shares
        for share in shares:
            require(share.posted + share.overage == correction.amount, "by the same amount")
            balance = self.balances[share.key]
            balance.posted += share.posted
            balance.overage += share.overage
            balance.acknowledged += share.acknowledged
            if share.posted > 0:
                balance.limit = share.cap

    def drawn(self, rid: bytes) -> list[tuple[Balance, int, int]]:
        """What a closed request has drawn, with each balance as stored."""
        row, found = self.holds[rid], []
        for key in row.legs:
            moved = [share for shares in row.corrected.values() for share in shares if share.key == key]
            posted = (row.posted or 0) + sum(share.posted for share in moved)
            overage = row.overage + sum(share.overage for share in moved)
            stored = self.balances[key]
            amounts = map(Nano, (stored.posted, stored.pending, stored.overage, stored.acknowledged))
            found.append((Balance(key, *amounts), posted, overage))
        return found

    def check(self) -> None:
        """Every rule, from the rows alone."""
        sums: dict[BalanceKey, list[int]] = {key: [0, 0, 0] for key in self.balances}
        for row in self.holds.values():
            require(row.posted is None or 0 <= row.posted <= row.held, "0 <= posted <= held")
            require(not row.overage or row.posted == row.held, "overage only above a full hold")
            for key in row.legs:
                total = sums[key]
                total[0] += row.posted or 0
                total[1] += row.held if row.posted is None else 0
                total[2] += row.overage
            for share in (share for shares in row.corrected.values() for share in shares):
                sums[share.key][0] += share.posted
                sums[share.key][2] += share.overage
            require((row.charge or 0) >= 0, "no request is charged less than nothing")
        for key, balance in self.balances.items():
            found = [balance.posted, balance.pending, balance.overage]
            require(found == sums[key], "a balance is the sum of its holds and corrections")
            within = balance.limit is None or balance.posted + balance.pending <= balance.limit
            require(within, "posted + held <= limit")
            require(0 <= balance.acknowledged <= balance.overage, "acknowledged <= overage")

    def amounts(self) -> dict[BalanceKey, Amounts]:
        """Posted, held and overage by balance."""
        return {key: (row.posted, row.pending, row.overage) for key, row in self.balances.items()}

    def charged(self) -> dict[bytes, int | None]:
        """Every hold's whole charge; None while open."""
        return {rid: row.charge for rid, row in self.holds.items()}

    def restart(self, now_ms: int) -> tuple[int, Book, list[RecoveredHold]]:
        """Begin an epoch, close the holds of the dead one, load the book."""
        closed = [self._presume(rid, row) for rid, row in self.holds.items() if row.posted is None]
        self.epoch += 1
        self.check()
        book = Book(first_bundle_id=(self.epoch << 32) | 1)
        for number, budget in enumerate(self.budgets, 1):
            book.accounts[number] = account_of(budget, number)
        for key, row in sorted(self.balances.items()):  # the newest period of an account comes last
            account = book.accounts[key.account_id]
            account.period = Period(key.period_start_ms, account.window.period(key.period_start_ms).end_ms)
            amounts = map(Nano, (row.posted, row.pending, row.overage, row.acknowledged))
            account.balance = Balance(key, *amounts)
        return self.epoch, book, closed

    def _presume(self, rid: bytes, row: HoldRow) -> RecoveredHold:
        seen = Usage(input=row.facts.prompt_presumed, output=row.progress, requests=1)
        posted = min(row.held, charge(seen, row.facts.price.rates))
        self._close(rid, posted, 0)
        return RecoveredHold(rid, Nano(row.held), Nano(posted))
