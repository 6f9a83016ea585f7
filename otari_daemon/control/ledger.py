"""The book and the disk together: decisions at once, durability by the batch.

Entries of one turn of the event loop travel together; whoever needs them on disk waits for their ticket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from otari_daemon.control.meters import Meters
from otari_daemon.domain.book import Book, Bundle, Closed, Hold, Refused
from otari_daemon.domain.errors import LedgerUnavailable
from otari_daemon.domain.money import ZERO, Nano
from otari_daemon.domain.records import Facts, Outcome, Progress
from otari_daemon.domain.settling import Bill
from otari_daemon.store.store import Store

BACKLOG_MAX = 20_000
"""Entries waiting for the disk beyond which nothing new is admitted."""


class BatchTicket:
    """Tells everyone who waits when one batch of entries is on disk."""

    __slots__ = ("_waiters", "durable")

    def __init__(self) -> None:
        self.durable = False
        self._waiters: list[asyncio.Future[None]] = []

    async def wait(self, timeout_s: float) -> bool:
        """Wait until the batch is on disk, at most `timeout_s`; say whether it is."""
        if self.durable:
            return True
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiters.append(waiter)
        alarm = loop.call_later(timeout_s, _wake, waiter)
        try:
            await waiter
        finally:
            alarm.cancel()
        return self.durable

    def resolve(self) -> None:
        """The batch is on disk: wake everyone."""
        self.durable = True
        for waiter in self._waiters:
            _wake(waiter)
        self._waiters.clear()


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


class Ledger:
    """The one owner of this node's book. All methods belong to the event loop's thread."""

    def __init__(self, book: Book, store: Store, loop: asyncio.AbstractEventLoop) -> None:
        self.book = book
        self.meters = Meters()
        self._store = store
        self._loop = loop
        self._ticket: BatchTicket | None = None
        self._live: dict[bytes, Callable[[], int]] = {}
        self._progress: dict[bytes, int] = {}

    @property
    def available(self) -> bool:
        """Whether new holds may be taken: the disk takes writes and is not far behind."""
        return self._store.available and self._store.backlog < BACKLOG_MAX

    @property
    def held(self) -> Nano:
        """Money set aside for the requests in flight."""
        return Nano(sum(hold.amount for hold in self.book.open_holds.values()))

    def reserve(self, rid: bytes, bundle: Bundle, amount: Nano, facts: Facts) -> Hold | Refused:
        """Set money, and a slot of its key, user and provider, aside for a request.

        Raises LedgerUnavailable when the books cannot be written.
        """
        if not self.available:
            raise LedgerUnavailable(
                "the ledger cannot be written now, so nothing billable is admitted; retry"
            )
        held = self.book.reserve(rid, bundle, amount, facts)
        if isinstance(held, Hold):
            self.meters.slots.take(facts.key_id, facts.user_id, facts.provider)
        return held

    def watch(self, hold: Hold, generated: Callable[[], int]) -> None:
        """Keep a live stream's output count on disk, once a second, until its hold closes."""
        self._live[hold.rid] = generated

    def settle(self, hold: Hold, facts: Facts, bill: Bill, outcome: Outcome) -> Closed:
        """Close a hold with its bill; `facts` are those it was reserved with."""
        self._live.pop(hold.rid, None)
        self._progress.pop(hold.rid, None)
        closed = Closed(ZERO, ZERO)
        if bill.void:
            self.book.void(hold, outcome)
        else:
            closed = self.book.settle(hold, bill.amount, outcome)
        self.meters.slots.give_back(facts.key_id, facts.user_id, facts.provider)
        return closed

    def ticket(self) -> BatchTicket:
        """The ticket of everything decided so far and not yet sent to the disk."""
        if self._ticket is None:
            self._ticket = BatchTicket()
            self._loop.call_soon(self._flush)
        return self._ticket

    def checkpoint(self) -> None:
        """Note how far live streams have come; called once a second."""
        moved = []
        for rid, generated in self._live.items():
            tokens = generated()
            if tokens != self._progress.get(rid, 0):
                self._progress[rid] = tokens
                moved.append(Progress(rid, tokens))
        if moved:
            self._store.post(moved, _nobody_waits)

    def _flush(self) -> None:
        ticket, self._ticket = self._ticket, None
        entries = self.book.take_journal()
        assert ticket is not None
        self._store.post(entries, ticket.resolve)


def _nobody_waits() -> None:
    """Progress is for recovery only."""
