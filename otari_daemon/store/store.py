"""The store as the rest of the daemon holds it: opened, recovered, started, closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, ParamSpec, TypeVar

from otari_daemon.domain.book import Book, Entry
from otari_daemon.domain.records import Progress, RecoveredHold
from otari_daemon.store import rebuild, recovery, spare
from otari_daemon.store.database import Connection, Database, Session
from otari_daemon.store.engines import open_database
from otari_daemon.store.errors import StoreError, StoreUnavailable
from otari_daemon.store.migrate import migrate
from otari_daemon.store.writer import Writer

READERS = 4
READS_WAITING_MAX = 256
WATCH_S = 0.5

P = ParamSpec("P")
T = TypeVar("T")


class Store:
    """The ledger's database. Before `start` it is used synchronously; after it, from one event loop."""

    def __init__(self, database: Database, spare_bytes: int) -> None:
        self._database = database
        self._spare_bytes = spare_bytes
        self._space = True
        self._writer: Writer | None = None
        self._epoch = 0
        self._reading = 0
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="otari-read")
        self._listeners: list[Callable[[bool], None]] = []
        self._watch: asyncio.TimerHandle | None = None

    @classmethod
    def open(cls, url: str, *, now_ms: int, spare_bytes: int = spare.FLOOR_BYTES) -> Store:
        """Lock, open, migrate and check what `url` names; raise `StoreError` with one clear line."""
        database = open_database(url)
        try:
            with database.explained():
                migrate(database, now_ms)
                database.map()
        except BaseException:
            database.close()
            raise
        return cls(database, spare_bytes)

    def begin_epoch(self) -> int:
        """Count this start, durably; the number names this daemon's holds."""
        with self._database.explained(), self._database.transaction() as con:
            self._epoch = recovery.begin_epoch(con)
        return self._epoch

    def recover(self, epoch: int, now_ms: int) -> list[RecoveredHold]:
        """Close the holds of every earlier epoch, in one transaction; before serving."""
        with self._database.explained(), self._database.transaction() as con:
            return recovery.recover(con, epoch, now_ms)

    def load_book(self, epoch: int) -> Book:
        """The book as the rows have it."""
        with self._database.explained(), self._database.snapshot() as session:
            return recovery.load_book(session.con, epoch)

    def read_now(self, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`read`, on the calling thread and at once: for what happens before serving."""
        with self._database.snapshot() as session:
            return fn(session, *args, **kwargs)

    def write_now(self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`write`, on the calling thread and at once; only before `start`."""
        if self._writer is not None:
            raise StoreError("the writer thread owns the database now")
        with self._database.transaction() as con:
            return fn(con, *args, **kwargs)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the writer thread for the epoch begun; blocks until it can write (tens of milliseconds)."""
        if self._epoch == 0:
            raise StoreError("begin an epoch before starting the writer")
        self._database.release_thread()
        self._writer = self._new_writer()
        self._writer.on_availability(lambda _: self._tell())
        self._writer.start(loop)
        self._look(loop)

    def post(self, entries: Sequence[Entry | Progress], done: Callable[[], None]) -> None:
        """Queue journal entries in order; `done` is called on the loop after their commit. Never blocks.

        The list is the store's from here on. Raises `LedgerCorrupt` once the ledger has stopped.
        """
        self._running.post(entries, done)

    async def write(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn(con, ...)` on the writer thread, in order with the posts; return after its commit.

        What `fn` raises comes back and undoes only `fn`. While the database cannot be written this raises
        `StoreUnavailable` rather than wait.
        """
        result: T = await self._running.write(lambda con: fn(con, *args, **kwargs))
        return result

    def offer(
        self, fn: Callable[Concatenate[Connection, P], None], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Queue `fn(con, ...)` in order with the posts; what cannot be written is dropped."""
        self._running.offer(lambda con: fn(con, *args, **kwargs))

    async def read(self, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(session, ...)` on a reader thread, in one snapshot."""
        if self._reading >= READS_WAITING_MAX:
            raise StoreUnavailable("too many reads are waiting for the database: try again")
        self._reading += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._readers, lambda: self.read_now(fn, *args, **kwargs))
        finally:
            self._reading -= 1

    def judged(self, error: Exception) -> StoreError:
        """What an error of a reading or writing function means."""
        return self._database.judged(error)

    async def usage_cells_stale(self) -> bool:
        """Whether reports wait for their cells to be built anew."""
        return await self.read(rebuild.is_stale)

    async def rebuild_usage(self) -> bool:
        """Build the usage cells anew from the rows, a bucket at a time; False if they fell behind again."""
        plan = await self.write(rebuild.begin)
        for grain, start_ms in rebuild.steps(plan):
            await self.write(rebuild.build, grain, start_ms)
        return await self.write(rebuild.finish, plan.seen)

    @property
    def available(self) -> bool:
        """Whether requests may be admitted: commits succeed, nothing is broken, there is disk to spare."""
        return self._space and self._writer is not None and self._writer.available

    @property
    def failure(self) -> StoreError | None:
        """Why the ledger has stopped for good, if it has."""
        return None if self._writer is None else self._writer.failure

    @property
    def backlog(self) -> int:
        """Entries posted and not yet committed."""
        return 0 if self._writer is None else self._writer.backlog

    @property
    def posted(self) -> int:
        """Entries posted so far."""
        return 0 if self._writer is None else self._writer.posted

    @property
    def oldest_wait_s(self) -> float:
        """How long the oldest uncommitted post has waited."""
        return 0.0 if self._writer is None else self._writer.oldest_wait_s

    def on_availability(self, callback: Callable[[bool], None]) -> None:
        """Have `callback(available)` called on the event loop when it may have changed."""
        self._listeners.append(callback)

    def check_space(self, open_holds: int) -> bool:
        """Look at the disk now (some microseconds) and keep the verdict in `available`; call every second."""
        space = spare.enough(self._database, open_holds, self._spare_bytes)
        if space != self._space:
            self._space = space
            self._tell()
            if self._writer is not None:
                self._writer.frugal = not space
            if not space and self._writer is not None and self._writer.failure is None:
                self._writer.checkpoint_soon()
        return space

    def close_now(self) -> None:
        """Close a store that was never started."""
        self._readers.shutdown()
        self._database.close()

    async def close(self, deadline_s: float) -> bool:
        """Drain the queue, checkpoint and close everything; False if the deadline left entries behind."""
        drained = self._writer is None or await self._writer.close(deadline_s)
        self._database.interrupt_reads()
        self._readers.shutdown(cancel_futures=True)
        if self._writer is None or self._writer.ended:
            self._database.close()  # else the thread is stuck in the disk; death releases the lock
        if self._watch is not None:
            self._watch.cancel()
        return drained

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """See every now and then that the database still answers."""
        self._database.watch()
        self._watch = loop.call_later(WATCH_S, self._look, loop)

    def _new_writer(self) -> Writer:
        return Writer(self._database, self._epoch)

    @property
    def _running(self) -> Writer:
        if self._writer is None:
            raise StoreError("the store has not been started")
        return self._writer

    def _tell(self) -> None:
        for callback in self._listeners:
            callback(self.available)
