"""How anything is changed: one change at a time, the disk before memory, memory before the answer."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

from otari_daemon.control.actor import Actor
from otari_daemon.control.ledger import Ledger
from otari_daemon.control.operations.ceilings import Ceilings
from otari_daemon.control.seats import Seats
from otari_daemon.domain.errors import LedgerUnavailable, Overloaded
from otari_daemon.domain.limits import Limits
from otari_daemon.store.database import Connection, Session
from otari_daemon.store.errors import StoreError
from otari_daemon.store.store import Store
from otari_daemon.telemetry.clock import Clock

TURN_WAIT_S = 5.0
"""How long a change waits for those before it."""

P = ParamSpec("P")
T = TypeVar("T")

_audit = logging.getLogger("otari.audit")


@dataclass(frozen=True, slots=True)
class Edit(Generic[T]):
    """One change: what it does to the rows, and then, with what came of that, to memory."""

    action: str
    target: str
    write: Callable[[Connection], T]
    remember: Callable[[T], None]


class _Rehearsed(Exception):
    """Undoes what a dry run wrote, and carries what came of it."""

    def __init__(self, result: object) -> None:
        super().__init__()
        self.result = result


class Desk:
    """What every operation stands on: the rows, what memory has of them, time and randomness."""

    def __init__(
        self,
        store: Store,
        seats: Seats,
        ledger: Ledger,
        clock: Clock,
        entropy: Callable[[int], bytes],
        turn_wait_s: float = TURN_WAIT_S,
        limits: Callable[[], Limits] = Limits,
    ) -> None:
        self.seats = seats
        self.ledger = ledger
        self.clock = clock
        self.entropy = entropy
        self.limits = limits
        self._store = store
        self._turn = asyncio.Lock() if ledger.sharing is None else ledger.sharing.changes.turn
        self._surveying = False
        self._turn_wait_s = turn_wait_s
        self._changing: set[asyncio.Task[Any]] = set()

    @property
    def ceilings(self) -> Ceilings:
        """Who draws on which accounts now."""
        return Ceilings(self.ledger.book.accounts, self.seats.accounts_of)

    @property
    def backlog(self) -> int:
        """Decisions that are not on disk yet."""
        return self._store.backlog

    def new_id(self) -> str:
        """A fresh id, shaped like a random UUID."""
        return str(uuid.UUID(bytes=self.entropy(16), version=4))

    async def read(self, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Read rows in one snapshot. Raises LedgerUnavailable."""
        try:
            return await self._store.read(fn, *args, **kwargs)
        except StoreError as error:
            raise LedgerUnavailable("the books cannot be read now; retry") from error

    async def survey(self, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`read` what takes looking at the whole books: one at a time, so that other readers find a thread.

        Raises Overloaded while another is under way.
        """
        if self._surveying:
            raise Overloaded("the books are being read from end to end for somebody else; retry")
        self._surveying = True
        try:
            return await self.read(fn, *args, **kwargs)
        finally:
            self._surveying = False

    async def rebuild_usage(self) -> bool:
        """Build the usage cells anew. Raises LedgerUnavailable."""
        return await self._written(self._store.rebuild_usage())

    async def alone(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do `work` while nothing else changes, to its end even when whoever asked has gone.

        Raises Overloaded when its turn does not come in time.
        """
        task = asyncio.create_task(self._in_turn(work))
        self._changing.add(task)
        task.add_done_callback(self._changing.discard)
        return await asyncio.shield(task)

    async def apply(self, edit: Edit[T], actor: Actor, *, dry_run: bool) -> T:
        """Commit an edit, then remember it, then say so in the audit log.

        A dry run is written and rolled back, so that the database judges it too. Raises LedgerUnavailable.
        """
        if dry_run:
            return await self._written(self._rehearse(edit.write))
        sharing = self.ledger.sharing
        write = edit.write if sharing is None else sharing.changes.counted(edit.write)
        result = await self._written(self._store.write(write))
        if sharing is not None:
            sharing.changes.made()
        edit.remember(result)
        audit(edit.action, edit.target, actor)
        return result

    def install(self, ceilings: Ceilings) -> None:
        """Make new ceilings the ones in force; accounts that are known keep their balances."""
        for account_id, account in ceilings.accounts.items():
            self.ledger.book.accounts.setdefault(account_id, account)
        self.seats.set_assignments(ceilings.assignments)

    async def _in_turn(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        try:
            async with asyncio.timeout(self._turn_wait_s):
                await self._turn.acquire()
        except TimeoutError as error:
            raise Overloaded("other changes are still being made; retry") from error
        try:
            if self.ledger.sharing is not None:
                await self._written(self.ledger.sharing.changes.catch_up())
            return await work()
        finally:
            self._turn.release()

    async def _written(self, writing: Awaitable[T]) -> T:
        try:
            return await writing
        except StoreError as error:
            raise LedgerUnavailable("the books cannot be written now, so nothing changed; retry") from error

    async def _rehearse(self, write: Callable[[Connection], T]) -> T:
        def rehearsed(con: Connection) -> T:
            raise _Rehearsed(write(con))

        try:
            return await self._store.write(rehearsed)
        except _Rehearsed as done:
            return done.result  # type: ignore[return-value]  # what `write` returned


def audit(action: str, target: str, actor: Actor) -> None:
    """Log who changed what, and why; never a secret."""
    reason = json.dumps(actor.reason or "")
    target = json.dumps(target)
    _audit.info("action=%s target=%s %s reason=%s", action, target, actor.who, reason)


class AtDesk(Protocol):
    """A part of the operations."""

    @property
    def desk(self) -> Desk:
        """The desk it shares with the others."""


S = TypeVar("S", bound=AtDesk)
Method = Callable[Concatenate[S, P], Coroutine[Any, Any, T]]


def changes(method: Method[S, P, T]) -> Method[S, P, T]:
    """Mark a method that changes something: it runs by itself and to its end."""

    async def run(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.desk.alone(lambda: method(self, *args, **kwargs))

    functools.update_wrapper(run, method)
    return run
