"""What operators change through one node reaches the others: counted in the database, looked for, read anew.

A change is made only by a node that knows of all before it, so nodes decide on the same state, in one order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from otari_daemon.control.seats import Seats
from otari_daemon.domain.book import Account, Book
from otari_daemon.domain.errors import Overloaded
from otari_daemon.domain.pricing import Price
from otari_daemon.domain.shared_book import seen
from otari_daemon.domain.windows import Period
from otari_daemon.store import nodes
from otari_daemon.store.database import Connection
from otari_daemon.store.store import Store

T = TypeVar("T")


class Changes:
    """The changes this node knows of. `turn` is held by whoever changes or reads anew."""

    def __init__(self, store: Store, book: Book, seats: Seats, known: int) -> None:
        self.turn = asyncio.Lock()
        self.on_prices: Callable[[list[Price]], None] = _nowhere
        self.known = known
        self._store = store
        self._book = book
        self._seats = seats

    def counted(self, write: Callable[[Connection], T]) -> Callable[[Connection], T]:
        """Make a write count as a change; it raises Overloaded when another node was first."""

        def counting(con: Connection) -> T:
            if not nodes.count_change(con, self.known):
                raise Overloaded("another node has just made a change; retry")
            return write(con)

        return counting

    def made(self) -> None:
        """A counted write has committed."""
        self.known += 1

    async def catch_up(self) -> None:
        """Take in what other nodes have changed; in `turn`."""
        if await self._store.read(nodes.generation) != self.known:
            self._take_in(await self._store.read(nodes.everything))

    def _take_in(self, now: nodes.Everything) -> None:
        self._seats.renew(now.keys, now.users, now.frozen, now.caps)
        for account_id, account in now.accounts.items():
            known = self._book.accounts.setdefault(account_id, account)
            if known is not account:
                restate(known, account)
        self._seats.set_assignments(now.assignments)
        self.on_prices(now.prices)
        self.known = now.generation


def restate(known: Account, now: Account) -> None:
    """Bring an account in line with its rows; its balances only ever go on, to a later period or amount."""
    rewound = known.window != now.window
    known.name, known.limit, known.enforced = now.name, now.limit, now.enforced
    known.window, known.on_exceed, known.raises = now.window, now.on_exceed, now.raises
    if now.balance is None:
        return
    if known.balance is None or now.period.start_ms > known.period.start_ms:
        known.balance, known.period = now.balance, now.period
    elif rewound:
        start_ms = known.period.start_ms
        known.period = Period(start_ms, now.window.period(start_ms).end_ms)
    if known.balance.key == now.balance.key:
        seen(known.balance, now.balance.posted, now.balance.overage, now.balance.acknowledged)


def _nowhere(prices: list[Price]) -> None:
    """Until there is a catalog, prices are read with it."""
