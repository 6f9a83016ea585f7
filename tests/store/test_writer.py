"""The one thread that writes: order, isolation of single writes, and stopping when the rows contradict."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from otari_daemon.domain.book import Book, HoldClosed
from otari_daemon.domain.money import ZERO, Nano
from otari_daemon.domain.records import Progress
from otari_daemon.store import usage
from otari_daemon.store.database import Connection, Session
from otari_daemon.store.errors import LedgerCorrupt, StoreError, StoreUnavailable
from otari_daemon.store.store import READS_WAITING_MAX, Store
from otari_daemon.store.verify import verify
from tests.ledger.support import (
    INTEGRITY,
    NOW_MS,
    WAIT_S,
    budget,
    commit,
    open_store,
    outcome,
    reserve,
    rid_of,
)

Served = tuple[Store, Book]


class Refusal(Exception):
    """What a write may raise."""


async def test_a_write_returns_after_its_commit(store: Store) -> None:
    before = await store.write(_note, "one", 1)

    assert (before, await store.read(_noted)) == (0, {"one": 1})


async def test_a_write_that_raises_undoes_only_itself(served: Served) -> None:
    store, book = served
    done = asyncio.Event()
    reserve(book, book.bundle((1,), NOW_MS), 1, 100)
    first = asyncio.ensure_future(store.write(_note, "first", 1))
    second = asyncio.ensure_future(store.write(_note_and_raise))
    await asyncio.sleep(0)
    store.post(book.take_journal(), done.set)

    with pytest.raises(Refusal):
        await second
    await first
    await asyncio.wait_for(done.wait(), WAIT_S)

    assert await store.read(_noted) == {"first": 1}
    assert (await store.read(verify)).holds == 1


async def test_a_unique_value_given_twice_comes_back_to_its_caller_alone(store: Store) -> None:
    await store.write(_note, "same", 1)

    with pytest.raises(INTEGRITY):
        await store.write(_note, "same", 2)

    assert (store.available, await store.read(_noted)) == (True, {"same": 1})


async def test_a_write_runs_in_order_with_the_posts_around_it(served: Served) -> None:
    store, book = served
    bundle = book.bundle((1,), NOW_MS)
    done = asyncio.Event()
    reserve(book, bundle, 1, 100)
    store.post(book.take_journal(), done.set)
    between = asyncio.ensure_future(store.write(_count_holds))
    await asyncio.sleep(0)
    reserve(book, bundle, 2, 100)
    await commit(store, book.take_journal())

    assert await between == 1
    assert done.is_set()


async def test_a_second_settlement_of_a_stored_hold_stops_the_ledger(served: Served) -> None:
    store, book = served
    bundle = book.bundle((1,), NOW_MS)
    hold = reserve(book, bundle, 1, 100)
    reserve(book, bundle, 2, 900)  # so that the balance alone would not notice
    book.settle(hold, Nano(10), outcome(10))
    await commit(store, book.take_journal())
    stopped = asyncio.Event()
    store.on_availability(lambda _: stopped.set())

    store.post([HoldClosed(hold, Nano(10), ZERO, outcome(10))], _never)
    await asyncio.wait_for(stopped.wait(), WAIT_S)

    assert not store.available
    assert isinstance(store.failure, LedgerCorrupt)
    assert "changed 0 rows where the book changed 1" in str(store.failure)
    with pytest.raises(LedgerCorrupt):
        store.post([], _never)
    with pytest.raises(LedgerCorrupt):
        await store.write(_count_holds)
    assert (await store.read(verify)).clean


async def test_a_balance_pushed_over_its_limit_stops_the_ledger(served: Served) -> None:
    store, book = served
    bundle = book.bundle((1,), NOW_MS)
    reserve(book, bundle, 1, 9_000)
    await commit(store, book.take_journal())
    bundle.balances[0].held = ZERO  # as a defective book would
    reserve(book, bundle, 2, 9_000)
    stopped = asyncio.Event()
    store.on_availability(lambda _: stopped.set())

    store.post(book.take_journal(), _never)
    await asyncio.wait_for(stopped.wait(), WAIT_S)

    assert "check constraint" in str(store.failure).lower()
    assert (await store.read(verify)).holds == 1


async def test_a_stopped_ledger_fails_the_writes_that_wait(served: Served) -> None:
    store, book = served
    hold = reserve(book, book.bundle((1,), NOW_MS), 1, 100)
    gate = threading.Event()
    entered, loop = asyncio.Event(), asyncio.get_running_loop()
    held_up = asyncio.ensure_future(
        store.write(_wait_for, gate, lambda: loop.call_soon_threadsafe(entered.set))
    )
    await asyncio.wait_for(entered.wait(), WAIT_S)
    store.post([HoldClosed(hold, Nano(10), ZERO, outcome(10))], _never)
    waiting = asyncio.ensure_future(store.write(_count_holds))
    await asyncio.sleep(0)
    gate.set()

    await held_up
    with pytest.raises(LedgerCorrupt):
        await waiting


async def test_progress_of_an_open_hold_is_kept_and_of_a_closed_one_ignored(served: Served) -> None:
    store, book = served
    hold = reserve(book, book.bundle((1,), NOW_MS), 1, 100)
    await commit(store, [*book.take_journal(), Progress(rid_of(1), 5)])
    await commit(store, [Progress(rid_of(1), 9)])
    running = await store.read(usage.one, rid_of(1))
    book.settle(hold, Nano(10), outcome(10))
    await commit(store, [*book.take_journal(), Progress(rid_of(1), 11)])

    ended = await store.read(usage.one, rid_of(1))

    assert running is not None
    assert ended is not None
    assert (running.progress_out, running.open, ended.progress_out, ended.open) == (9, True, 0, False)


async def test_closing_drains_what_was_posted(database_url: str) -> None:
    store, book = open_store(database_url, budget("all", None))
    store.start(asyncio.get_running_loop())
    for number in range(5_000):
        reserve(book, book.bundle((1,), NOW_MS), number, 1)
    done = asyncio.Event()
    store.post(book.take_journal(), done.set)

    assert await store.close(WAIT_S)

    assert (done.is_set(), store.backlog) == (True, 0)


async def test_closing_gives_up_at_its_deadline_and_says_so(tmp_path: Path) -> None:
    store, book = open_store(tmp_path / "otari.db", budget("all", None))
    store.start(asyncio.get_running_loop())
    foreign = sqlite3.connect(tmp_path / "otari.db", isolation_level=None)
    foreign.execute("BEGIN IMMEDIATE")
    reserve(book, book.bundle((1,), NOW_MS), 1, 1)
    done = asyncio.Event()
    store.post(book.take_journal(), done.set)

    assert not await store.close(0.3)

    assert not done.is_set()
    foreign.close()


async def test_a_callback_that_raises_does_not_rob_the_others(served: Served) -> None:
    store, book = served
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: complaints.append(context["exception"])
    )
    error = Refusal()

    def defective() -> None:
        raise error

    store.post([], defective)
    reserve(book, book.bundle((1,), NOW_MS), 1, 1)
    await commit(store, book.take_journal())

    assert complaints == [error]


async def test_reads_beyond_the_bound_are_refused(store: Store) -> None:
    gate = threading.Event()
    reads = [asyncio.ensure_future(store.read(_wait_to_read, gate)) for _ in range(READS_WAITING_MAX)]
    await asyncio.sleep(0)

    with pytest.raises(StoreUnavailable, match="too many reads"):
        await store.read(_noted)

    gate.set()
    await asyncio.gather(*reads)


async def test_the_writer_does_not_wait_long_for_a_busy_event_loop(store: Store) -> None:
    assert store.available
    assert sys.getswitchinterval() < 0.001


async def test_a_store_must_be_begun_before_and_is_written_by_its_thread_after_the_start(
    database_url: str,
) -> None:
    store = Store.open(database_url, now_ms=NOW_MS)

    with pytest.raises(StoreError, match="begin an epoch"):
        store.start(asyncio.get_running_loop())
    with pytest.raises(StoreError, match="not been started"):
        store.post([], _never)

    assert not store.available
    store.begin_epoch()
    store.start(asyncio.get_running_loop())
    with pytest.raises(StoreError, match="owns the database"):
        store.write_now(_count_holds)
    await store.close(5)


def _note(con: Connection, name: str, value: int) -> int:
    before: int = con.execute(
        "SELECT count(*) FROM meta WHERE name NOT IN ('epoch', 'batch', 'generation', 'usage_cells')"
    ).fetchone()[0]
    con.execute("INSERT INTO meta VALUES (?, ?)", (name, value))
    return before


def _note_and_raise(con: Connection) -> None:
    _note(con, "doomed", 1)
    raise Refusal


def _noted(session: Session) -> dict[str, int]:
    return dict(
        session.con.execute(
            "SELECT name, value FROM meta WHERE name NOT IN ('epoch', 'batch', 'generation', 'usage_cells')"
        ).fetchall()
    )


def _count_holds(con: Connection) -> int:
    count: int = con.execute("SELECT count(*) FROM hold").fetchone()[0]
    return count


def _wait_for(_: Connection, gate: threading.Event, entered: Callable[[], object]) -> None:
    entered()
    assert gate.wait(WAIT_S)


def _wait_to_read(_: Session, gate: threading.Event) -> None:
    assert gate.wait(WAIT_S)


def _never() -> None:
    raise AssertionError("this post must not be reported as done")
