"""The book and the disk together: decisions at once, durability by the batch.

Entries of one turn of the event loop travel together; whoever needs them on disk waits for their ticket.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from otari_daemon.control.auditor import Auditor
from otari_daemon.control.idempotency import Claims
from otari_daemon.control.lines import Lines
from otari_daemon.control.meters import Meters
from otari_daemon.domain.book import Book, Bundle, Closed, Hold, Refused
from otari_daemon.domain.errors import LedgerUnavailable
from otari_daemon.domain.idempotency import Claim, Kept, Named, Unnamed
from otari_daemon.domain.money import ZERO, Nano
from otari_daemon.domain.records import Facts, Outcome, Progress
from otari_daemon.domain.settling import Bill
from otari_daemon.store.store import Store

if TYPE_CHECKING:
    from otari_daemon.control.sharing import Sharing

BACKLOG_MAX = 20_000
"""Entries waiting for the disk beyond which nothing new is admitted."""

LOOK_S = 0.25
"""How often those who wait for the disk are looked at: one timer for all of them, not one for each."""


class BatchTicket:
    """Tells everyone who waits when one batch of entries is on disk."""

    __slots__ = ("_waiters", "durable")

    def __init__(self) -> None:
        self.durable = False
        self._waiters: list[tuple[float, asyncio.Future[None]]] = []

    async def wait(self, timeout_s: float) -> bool:
        """Wait until the batch is on disk, at most `timeout_s` and a look; say whether it is."""
        if self.durable:
            return True
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiters.append((loop.time() + timeout_s, waiter))
        await waiter
        return self.durable

    def then(self, act: Callable[[], None]) -> None:
        """Have `act` called once the batch is on disk; at once if it is."""
        if self.durable:
            act()
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter.add_done_callback(lambda _: act())
        self._waiters.append((math.inf, waiter))

    def resolve(self) -> None:
        """The batch is on disk: wake everyone."""
        self.durable = True
        self.lose_patience(math.inf)

    def lose_patience(self, now_s: float) -> None:
        """Wake whoever has waited long enough at a time of the loop's clock."""
        kept = []
        for due_s, waiter in self._waiters:
            if due_s > now_s:
                kept.append((due_s, waiter))
            elif not waiter.done():
                waiter.set_result(None)
        self._waiters = kept


class Ledger:
    """The one owner of this node's book. All methods belong to the event loop's thread.

    `sharing` is there where other nodes write the same books.
    """

    def __init__(self, book: Book, store: Store, loop: asyncio.AbstractEventLoop) -> None:
        self.book = book
        self.sharing: Sharing | None = None
        self.hold_leaks = 0
        self.meters = Meters()
        self.lines = Lines()
        self.claims = Claims(store)
        self.auditor = Auditor(store)
        self._store = store
        self._loop = loop
        self._ticket: BatchTicket | None = None
        self._unwritten: set[BatchTicket] = set()
        self._look: asyncio.TimerHandle | None = None
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
        if self.lines.waiting and amount:
            refused = self.book.refusal(bundle, amount) or self.lines.ahead(bundle, amount)
            if refused is not None:
                return refused
        held = self.book.reserve(rid, bundle, amount, facts)
        if isinstance(held, Hold):
            self.meters.slots.take(facts.key_id, facts.user_id, facts.provider)
        return held

    def name(self, hold: Hold, claim: Claim, now_ms: int) -> None:
        """Write a hold's idempotency key in the hold's own transaction; on the turn it was reserved."""
        self.book.journal.append(Named(claim.scoped, claim.fingerprint, hold.rid, now_ms))

    def keep(self, hold: Hold, claim: Claim, kept: Kept) -> None:
        """Keep an answer for its idempotency key, if it can be; before its hold is settled."""
        self.claims.keep(claim, hold.rid, kept)

    def unclaim(self, hold: Hold, claim: Claim, *, void: bool) -> None:
        """The request of an idempotency key has been settled: once that is on disk, its row answers for it.

        Where nothing was consumed, the key is free again.
        """
        if void:
            self.book.journal.append(Unnamed(claim.scoped, hold.rid))
        self.ticket().then(lambda: self.claims.release(claim))

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
        if self.lines.waiting:
            self.lines.room_made(hold.bundle)
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
        self._unwritten.add(ticket)
        if self._look is None:
            self._look = self._loop.call_later(LOOK_S, self._look_around)
        self._store.post(entries, partial(self._written, ticket))

    def _written(self, ticket: BatchTicket) -> None:
        self._unwritten.discard(ticket)
        ticket.resolve()

    def _look_around(self) -> None:
        """Let those go who have waited too long; look again while there is anything unwritten."""
        now_s = self._loop.time()
        for ticket in self._unwritten:
            ticket.lose_patience(now_s)
        self._look = self._loop.call_later(LOOK_S, self._look_around) if self._unwritten else None


def _nobody_waits() -> None:
    """Progress is for recovery only."""
