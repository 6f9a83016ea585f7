"""A batch of a node that shares the ledger: balances move by what leases do, and leases are granted in it.

What a hold takes from a lease it takes from `idle`, so the balance does not move and its row stays unlocked.
A row that does move is locked in the order of all nodes first, and read: what is granted is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from otari_daemon.domain.book import BalanceKey, Entry
from otari_daemon.domain.leases import BalanceName, LeaseEnded, LeaseMoved, Renewal, Terms, granted
from otari_daemon.domain.money import Nano
from otari_daemon.domain.records import Progress
from otari_daemon.store import sql_shared
from otari_daemon.store.database import Connection
from otari_daemon.store.errors import LedgerCorrupt
from otari_daemon.store.fold import Cards, Fold, Leg, expect, move

if TYPE_CHECKING:
    from otari_daemon.store.engines.postgres_connection import PostgresConnection  # its driver is an extra

SILENT_MS = 5_000
"""From a node that has not committed for so long, nothing is waited for."""


class _Row(NamedTuple):
    posted: int
    pending: int
    overage: int
    acknowledged: int


class SharedFolds:
    """Makes a node's folds; remembers which of its leases have a row."""

    def __init__(self) -> None:
        self.opened: set[BalanceName] = set()

    def __call__(self, entries: Sequence[Entry | Progress], epoch: int, cards: Cards) -> SharedFold:
        """A fold of some entries."""
        return SharedFold(entries, epoch, cards, self.opened)


class SharedFold(Fold):
    """`Fold`, with leases."""

    def __init__(
        self, entries: Sequence[Entry | Progress], epoch: int, cards: Cards, opened: set[BalanceName]
    ) -> None:
        self._opened_leases = opened
        self._idle: dict[BalanceName, int] = {}
        self._renewals: dict[BalanceName, Renewal] = {}
        self._ended: set[BalanceName] = set()
        super().__init__(entries, epoch, cards)

    def _take(self, entry: Entry | Progress) -> None:
        match entry:
            case LeaseMoved(key, amount):
                self._idle[key] = self._idle.get(key, 0) + amount
                self._ended.discard(key)
            case Renewal():
                self._renewals[entry.key] = entry
                self._ended.discard(entry.key)
            case LeaseEnded(key):
                self._ended.add(key)
            case _:
                super()._take(entry)

    def committed(self) -> None:
        """Remember what is now known to be stored."""
        super().committed()
        self._opened_leases.update(self._idle, self._renewals)
        self._opened_leases -= self._ended

    def _apply_balances(self, con: Connection) -> None:
        server = cast("PostgresConnection", con)
        legs = self._legs()
        for leg in legs.values():
            if leg.cap is not None:  # it was admitted from a lease, which was granted under its limit
                leg.admitted = 0
        for key, amount in self._idle.items():
            legs.setdefault(BalanceKey(*key), Leg()).pending += amount
        for key in self._renewals:
            legs.setdefault(BalanceKey(*key), Leg())
        moving = {key: leg for key, leg in legs.items() if leg.moves or key in self._renewals}
        idle = dict(self._idle)
        if moving:
            rows = _locked(server, moving)
            for key, leg in moving.items():
                _see(leg, rows[key])
            if self._renewals:
                self._renew(server, rows, moving, idle)
            move(con, moving)
        self._apply_leases(server, idle)

    def _renew(
        self,
        server: PostgresConnection,
        rows: Mapping[BalanceName, _Row],
        legs: Mapping[BalanceKey, Leg],
        idle: dict[BalanceName, int],
    ) -> None:
        """Grant what is asked for as far as it remains; ask other nodes for what they leave idle if not."""
        names = _columns(self._renewals)
        leased = {
            (a, p): sums for a, p, *sums in server.say(sql_shared.LEASED, (self._epoch, SILENT_MS, *names))
        }
        short = []
        for key, asked in self._renewals.items():
            leg, row = legs[BalanceKey(*key)], rows[key]
            total, elsewhere = leased.get(key, (0, 0))
            posted, pending = row.posted + leg.posted, row.pending + leg.pending
            remaining = int(asked.cap - posted - pending)
            amount = granted(asked, remaining)
            if amount:
                leg.admitted, leg.cap = 1, asked.cap
                leg.pending += amount
                idle[key] = idle.get(key, 0) + amount
            held = pending + amount - total - idle.get(key, 0)
            overage, seen = row.overage + leg.overage, row.acknowledged + leg.acknowledged
            amounts = (amount, remaining - amount, elsewhere, posted, held, overage, seen)
            asked.terms = Terms._make((*map(Nano, amounts), 0))
            if amount < asked.need and elsewhere:
                short.append(key)
        self._recall(server, names, short)

    def _recall(
        self,
        server: PostgresConnection,
        names: tuple[list[int], list[int]],
        short: Iterable[BalanceName],
    ) -> None:
        wanted = _columns(short)
        if wanted[0]:
            server.say(sql_shared.RECALL, wanted)
        for account_id, start_ms, number in server.say(sql_shared.RECALLS, names):
            asked = self._renewals[account_id, start_ms]
            assert asked.terms is not None, "terms are made before recalls are told"
            asked.terms = asked.terms._replace(recalls=number)

    def _apply_leases(self, server: PostgresConnection, idle: Mapping[BalanceName, int]) -> None:
        fresh = _columns(key for key in (*idle, *self._renewals) if key not in self._opened_leases)
        if fresh[0]:
            server.say(sql_shared.LEASE_OPEN, (self._epoch, *fresh))
        moved = {key: amount for key, amount in idle.items() if amount}
        if moved:
            amounts = [moved[key] for key in sorted(moved)]
            expect(server.say(sql_shared.LEASE_MOVE, (*_columns(moved), amounts, self._epoch)), len(moved))
        if self._ended:
            server.say(sql_shared.LEASE_END, (*_columns(self._ended), self._epoch))


def _locked(server: PostgresConnection, keys: Iterable[BalanceName]) -> dict[BalanceName, _Row]:
    """Lock balances, in the order every node does, and read them."""
    names = _columns(keys)
    found = {(a, p): _Row(*row) for a, p, *row in server.say(sql_shared.LOCK_BALANCES, names)}
    if len(found) != len(names[0]):
        raise LedgerCorrupt(f"the ledger has {len(found)} of {len(names[0])} balances the book moves")
    return found


def _see(leg: Leg, row: _Row) -> None:
    """Acknowledge what there is: two nodes may have seen the same overage."""
    most = row.overage + leg.overage
    leg.acknowledged = min(max(0, row.acknowledged + leg.acknowledged), most) - row.acknowledged


def _columns(keys: Iterable[BalanceName]) -> tuple[list[int], list[int]]:
    ordered = sorted(set(keys))
    return [key[0] for key in ordered], [key[1] for key in ordered]
