"""A database that cannot be written for a while loses nothing, and says so while it lasts."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from otari_daemon.domain.book import Book, Bundle
from otari_daemon.domain.money import Nano
from otari_daemon.store import usage
from otari_daemon.store.errors import StoreUnavailable
from otari_daemon.store.store import Store
from otari_daemon.store.verify import verify
from tests.ledger.support import NOW_MS, WAIT_S, budget, commit, open_store, outcome, reserve
from tests.ledger.watch import Watch

TMPFS_BYTES = 20 << 20
SETTLED = 400
POSTS, HOLDS_A_POST = 60, 400  # 8 MiB of rows: neither the log nor what is left of the disk holds them


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A mounted file system of 20 MiB; needs root, as CI is."""
    place = tmp_path / "small"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.fail("mounting a small tmpfs needs root: run the tests as root")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


async def test_a_locked_database_drops_nothing_and_resumes(tmp_path: Path) -> None:
    store, book = open_store(tmp_path / "ledger.db", budget("all", None))
    store.start(asyncio.get_running_loop())
    watch, bundle = Watch(store), book.bundle((1,), NOW_MS)
    hold = reserve(book, bundle, 1, 100)
    await commit(store, book.take_journal())
    foreign = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    foreign.execute("BEGIN IMMEDIATE")

    book.settle(hold, Nano(40), outcome(40))
    done = asyncio.Event()
    store.post(book.take_journal(), done.set)
    await watch.until(available=False)
    with pytest.raises(StoreUnavailable):
        await store.write(lambda con: con.execute("SELECT 1").fetchone())
    waited = (store.backlog, store.oldest_wait_s > 0, done.is_set())
    readable = await store.read(verify)
    foreign.execute("ROLLBACK")
    foreign.close()

    await watch.until(available=True)
    await asyncio.wait_for(done.wait(), WAIT_S)
    assert (waited, readable.clean) == ((1, True, False), True)
    assert (store.backlog, store.oldest_wait_s) == (0, 0.0)
    assert (await store.read(verify)).clean
    assert await store.close(5)


async def test_a_full_disk_settles_what_is_in_flight_and_resumes(small_disk: Path) -> None:
    """The watermark stops admissions; then the disk fills to the last byte; then somebody makes room."""
    store, book = open_store(small_disk / "ledger.db", budget("all", None))
    store.start(asyncio.get_running_loop())
    bundle, ballast = book.bundle((1,), NOW_MS), small_disk / "ballast"
    holds = [reserve(book, bundle, number, 100) for number in range(SETTLED)]
    await commit(store, book.take_journal())
    assert not store.check_space(len(holds))  # a log of 4 MiB wants 16 MiB free
    await commit(store, ())
    _fill(ballast)

    for hold in holds:
        book.settle(hold, Nano(70), outcome(70))
        await commit(store, book.take_journal())

    assert not store.available
    report = await store.read(verify)
    assert (report.clean, report.holds) == (True, SETTLED)
    assert await store.read(usage.open_holds) == []
    assert await store.close(5)


async def test_a_disk_that_fills_up_under_admissions_drops_nothing_and_resumes(small_disk: Path) -> None:
    store, book = open_store(small_disk / "ledger.db", budget("all", None))
    store.start(asyncio.get_running_loop())
    watch, bundle, ballast = Watch(store), book.bundle((1,), NOW_MS), small_disk / "ballast"
    _fill(ballast)

    admitted = _admit_until_full(store, book, bundle)
    await watch.until(available=False)
    last_was_committed = admitted[-1].is_set()
    ballast.unlink()
    await watch.until(available=True)
    await asyncio.wait_for(admitted[-1].wait(), WAIT_S)

    assert not last_was_committed
    assert all(done.is_set() for done in admitted)
    report = await store.read(verify)
    assert (report.clean, report.holds) == (True, POSTS * HOLDS_A_POST)
    assert await store.close(5)


async def test_too_little_free_disk_stops_admissions_and_is_told(small_disk: Path) -> None:
    store, _ = open_store(small_disk / "ledger.db")
    store.start(asyncio.get_running_loop())
    told: list[bool] = []
    store.on_availability(told.append)

    enough = [store.check_space(open_holds) for open_holds in (0, 0)]

    assert (enough, store.available, told) == ([False, False], False, [False])
    assert await store.close(5)


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        for block in (1 << 16, 1 << 12, 1):
            try:
                while True:  # until the disk is full
                    file.write(b"\0" * block)
            except OSError:
                continue


def _admit_until_full(store: Store, book: Book, bundle: Bundle) -> list[asyncio.Event]:
    """Post more new holds than the disk has room for."""
    posts = []
    for post in range(POSTS):
        for number in range(HOLDS_A_POST):
            reserve(book, bundle, post * HOLDS_A_POST + number, 1)
        posts.append(asyncio.Event())
        store.post(book.take_journal(), posts[-1].set)
    return posts
