"""The one thread that writes: many posts, one commit; a commit that fails is tried again, whole.

event loop ── post, write ──▶ queue ──▶ thread: fold, BEGIN IMMEDIATE, apply, COMMIT
    ▲                                     │ fails: nothing is dropped, again in 20 ms .. 1 s;
    │                                     │ in doubt: asks first whether it had happened
    └────── done, once per commit ◀───────┘ contradicts the book: stop for good
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from otari_daemon.domain.book import Entry
from otari_daemon.domain.records import Progress
from otari_daemon.store.cells import KnownSeries, mark_stale
from otari_daemon.store.database import MARK_EPOCH_BITS, Connection, Database
from otari_daemon.store.errors import CommitInDoubt, LedgerCorrupt, StoreError, StoreUnavailable
from otari_daemon.store.fold import Cards, Fold
from otari_daemon.store.jobs import Job, Post, Write

ENTRIES_PER_COMMIT = 4096
JOBS_PER_COMMIT = 1024
WRITES_WAITING_MAX = 1024
RETRY_FIRST_S = 0.02
RETRY_LONGEST_S = 1.0
SWITCH_S = 50e-6
"""How long the event loop keeps the interpreter's lock while the writer wants it.

A loop that looks at its sockets more often than the interval starves another thread of the lock: with the
usual 5 ms, a post waited seconds for its commit at 80 % load; with this, about two milliseconds.
"""

SHARED_JOBS = 4
SPACING_S = 0.003
"""Commits that at least `SHARED_JOBS` share begin this far apart: each costs about 200 us of CPU whatever it
holds, and takes the interpreter's lock from the loop. A lone request never waits for company.
"""

START_S = 30.0
"""How long the thread may take to open its connection and grow the log."""


Folding = Callable[[Sequence[Entry | Progress], int, Cards], Fold]


class Writer:
    """Owns the writing connection. Everything public is called on the event loop."""

    def __init__(
        self,
        database: Database,
        epoch: int,
        clock: Callable[[], float] = time.monotonic,
        fold: Folding = Fold,
    ) -> None:
        self._database, self._epoch, self._clock, self._fold = database, epoch, clock, fold
        self._queue: SimpleQueue[Job | None] = SimpleQueue()  # bounded by admission and WRITES_WAITING_MAX
        self._cards = Cards()
        self._series = KnownSeries()
        self.frugal = False
        self._closing = threading.Event()
        self._deadline_s = 0.0
        self._posted = self._committed = self._writes = 0
        self._head_s: float | None = None
        self._began_s, self._shared = 0.0, 0
        self._failing = self._checkpoint = self._doubtful = False
        self._mark = epoch << MARK_EPOCH_BITS
        self._listeners: list[Callable[[bool], None]] = []
        self.failure: StoreError | None = None

    @property
    def available(self) -> bool:
        """Whether the last commit succeeded and nothing is broken."""
        return not self._failing and self.failure is None

    @property
    def backlog(self) -> int:
        """Entries posted and not yet committed."""
        return self._posted - self._committed

    @property
    def posted(self) -> int:
        """Entries posted so far."""
        return self._posted

    @property
    def oldest_wait_s(self) -> float:
        """How long the head of the queue has waited for its commit; 0 when nothing waits."""
        head_s = self._head_s
        return 0.0 if head_s is None else self._clock() - head_s

    @property
    def ended(self) -> bool:
        """Whether the thread has left the database alone for good."""
        return self._ended.done()

    def on_availability(self, callback: Callable[[bool], None]) -> None:
        """Have `callback(available)` called on the event loop whenever that changes."""
        self._listeners.append(callback)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the thread; return when it can write, or raise why it cannot."""
        sys.setswitchinterval(SWITCH_S)
        self._loop = loop
        self._ended: asyncio.Future[bool] = loop.create_future()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="otari-ledger", daemon=True)
        self._thread.start()
        if not ready.wait(START_S):
            raise StoreUnavailable(f"the database could not be prepared for writing in {START_S:.0f} s")
        if self.failure is not None:
            raise self.failure

    def post(self, entries: Sequence[Entry | Progress], done: Callable[[], None]) -> None:
        """Queue entries; `done` is called on the event loop after the commit that contains them."""
        if self.failure is not None:
            raise self.failure
        self._posted += len(entries)
        self._queue.put(Post(entries, done, self._clock()))

    def checkpoint_soon(self) -> None:
        """Have the log copied into the file after the posts so far.

        Pages that are new in the log make the file grow. Once they are copied, and while nothing is
        admitted, settlements rewrite pages that exist: they go on when the disk is full.
        """
        self._checkpoint = True
        self.post((), _nothing)

    async def write(self, fn: Callable[..., Any], *args: Any) -> Any:
        """Run `fn(con, *args)` in order with the posts; return after its commit, or raise what it raised."""
        if self.failure is not None:
            raise self.failure
        if self._failing or self._writes >= WRITES_WAITING_MAX:
            raise StoreUnavailable("the database cannot be written now: try again")
        self._writes += 1
        job = Write(fn, args, self._loop.create_future(), self._clock())
        self._queue.put(job)
        try:
            return await job.future
        finally:
            self._writes -= 1

    def offer(self, fn: Callable[..., None]) -> None:
        """Queue `fn(con)` in order with the posts; what cannot be written, or not now, is dropped."""
        if not self.available or self._writes >= WRITES_WAITING_MAX:
            return
        self._writes += 1
        future = self._loop.create_future()
        future.add_done_callback(self._offered)
        self._queue.put(Write(fn, (), future, self._clock()))

    def _offered(self, future: asyncio.Future[Any]) -> None:
        self._writes -= 1
        future.exception()  # taken note of, so that nobody else does

    async def close(self, deadline_s: float) -> bool:
        """Drain, checkpoint and end the thread; False when the deadline came first and entries were left."""
        self._deadline_s = self._clock() + deadline_s
        self._closing.set()
        self._queue.put(None)
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(asyncio.shield(self._ended), deadline_s + RETRY_LONGEST_S)
        return False

    # -- on the writer thread ------------------------------------------------------------------------

    def _run(self, ready: threading.Event) -> None:
        try:
            self._database.prepare()
        except Exception as error:  # noqa: BLE001 - whatever it is, start() raises it
            self.failure = self._database.judged(error)
        ready.set()
        drained = self.failure is None and self._drain()
        self._abandon()
        if drained:
            with contextlib.suppress(Exception):  # the next start checkpoints as well
                self._database.checkpoint()
        self._database.release_thread()
        self._on_loop(self._end, drained)

    def _drain(self) -> bool:
        while True:  # until a None is queued or a batch cannot be committed
            jobs, last = self._gather()
            if jobs and not self._commit(jobs):
                return False
            if self._checkpoint:
                self._checkpoint = False
                with contextlib.suppress(Exception):  # it is a precaution; SQLite checkpoints by itself, too
                    self._database.checkpoint()
            if last:
                return True

    def _gather(self) -> tuple[list[Job], bool]:
        jobs: list[Job] = []
        entries = 0
        job = self._queue.get()
        self._head_s = None if job is None else job.at_s
        if job is not None:
            self._space_out()
        try:
            while job is not None:
                jobs.append(job)
                entries += len(job.entries) if isinstance(job, Post) else 1
                if entries >= ENTRIES_PER_COMMIT or len(jobs) >= JOBS_PER_COMMIT:
                    return jobs, False
                job = self._queue.get_nowait()
        except Empty:
            return jobs, False
        finally:
            self._shared = len(jobs)
        return jobs, True

    def _space_out(self) -> None:
        """Under load, begin the next commit a while after the last began, so that more share it."""
        now_s = self._clock()
        early_s = self._began_s + SPACING_S - now_s
        if self._shared >= SHARED_JOBS and early_s > 0 and not self._closing.is_set():
            time.sleep(early_s)
            now_s = self._clock()
        self._began_s = now_s

    def _commit(self, jobs: list[Job]) -> bool:
        pause_s = RETRY_FIRST_S
        self._mark += 1
        while True:  # until committed, broken, or closing and past the deadline
            verdict = self._attempt(jobs)
            if verdict is None:
                return True
            if isinstance(verdict, LedgerCorrupt):
                self.failure = verdict
                self._fail_writes(jobs, verdict)
                self._say(available=False)
                return False
            if not self._doubtful:  # what may have happened is told when that is known
                jobs = self._fail_writes(jobs, verdict)
            if not self._failing:
                self._failing = True
                self._say(available=False)
            if not jobs and self._closing.is_set():
                return True  # else an empty one is tried: no post may come to tell when it works again
            if not self._pause(pause_s):
                self._fail_writes(jobs, verdict)
                return False
            pause_s = min(pause_s * 2, RETRY_LONGEST_S)

    def _attempt(self, jobs: list[Job]) -> StoreError | None:
        try:
            steps = self._steps(jobs)
            if not self._happened():
                self._apply(steps)
        except Exception as error:  # noqa: BLE001 - judged: it either passes or ends the ledger
            self._doubtful = self._doubtful or isinstance(error, CommitInDoubt)
            return self._database.judged(error)
        for step in steps:
            if isinstance(step, Fold):
                step.committed()
                step.reported(self._series)
        self._head_s = None
        self._committed += sum(len(job.entries) for job in jobs if isinstance(job, Post))
        if self._failing:
            self._failing = False
            self._say(available=True)
        self._on_loop(self._deliver, jobs)
        return None

    def _happened(self) -> bool:
        """Whether the attempt before this one committed, although its answer was lost."""
        happened = self._doubtful and self._database.applied(self._mark)
        self._doubtful = False
        return happened

    def _apply(self, steps: Sequence[Fold | Write]) -> None:
        with self._database.batch(self._mark) as con:
            for step in steps:
                if isinstance(step, Fold):
                    step.run(con)
                    if step.settles:
                        self._report(con, step)
                else:
                    step.run(con, self._database)

    def _report(self, con: Connection, fold: Fold) -> None:
        """Add settlements to the usage cells, which may need disk; in need only say that they are behind.

        At once, before any later step: one that builds cells anew counts the rows that it finds.
        """
        if self._failing or self.frugal:
            mark_stale(con)
        else:
            fold.report(con, self._series)

    def _steps(self, jobs: list[Job]) -> list[Fold | Write]:
        steps: list[Fold | Write] = []
        run: list[Entry | Progress] = []
        for job in jobs:
            if isinstance(job, Post):
                run.extend(job.entries)
                continue
            if run:
                steps.append(self._fold(run, self._epoch, self._cards))
                run = []
            steps.append(job)
        if run:
            steps.append(self._fold(run, self._epoch, self._cards))
        return steps

    def _fail_writes(self, jobs: list[Job], verdict: StoreError) -> list[Job]:
        writes = [job for job in jobs if isinstance(job, Write)]
        for job in writes:
            job.error = verdict
        if writes:
            self._on_loop(self._deliver, writes)
        return [job for job in jobs if isinstance(job, Post)]

    def _pause(self, pause_s: float) -> bool:
        if not self._closing.wait(pause_s):
            return True
        left_s = self._deadline_s - self._clock()
        time.sleep(max(0.0, min(pause_s, left_s)))
        return left_s > 0

    def _abandon(self) -> None:
        """Fail the writes still queued; posts left behind are never reported as done."""
        left: list[Job] = []
        with contextlib.suppress(Empty):
            while True:  # the queue is bounded by what was put there
                job = self._queue.get_nowait()
                if job is not None:
                    left.append(job)
        self._fail_writes(left, self.failure or StoreUnavailable("the database is closed"))

    def _say(self, *, available: bool) -> None:
        self._on_loop(self._tell, available)

    def _on_loop(self, callback: Callable[..., None], *args: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
            self._loop.call_soon_threadsafe(callback, *args)

    # -- back on the event loop ----------------------------------------------------------------------

    def _deliver(self, jobs: list[Job]) -> None:
        for job in jobs:
            if isinstance(job, Write):
                job.deliver()
                continue
            try:
                job.done()
            except Exception as error:  # noqa: BLE001 - one caller's defect is not another's
                self._loop.call_exception_handler({"message": "a ledger callback failed", "exception": error})

    def _tell(self, available: bool) -> None:
        for callback in self._listeners:
            callback(available)

    def _end(self, drained: bool) -> None:
        self._thread.join()
        if not self._ended.done():
            self._ended.set_result(drained)


def _nothing() -> None:
    """What a post that nobody waits for calls when it is done."""
