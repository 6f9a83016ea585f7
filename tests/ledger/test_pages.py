"""Settling needs no disk: the rows are there at full width, and so is the log."""

from __future__ import annotations

import asyncio
from pathlib import Path

from otari_daemon.domain.book import Book, Bundle
from otari_daemon.domain.money import Nano
from otari_daemon.domain.records import Outcome, Reason
from otari_daemon.domain.usage import UNITS_MAX, Usage
from otari_daemon.store.database import Session
from otari_daemon.store.verify import verify
from tests.ledger.support import NOW_MS, TIER, budget, commit, open_store, outcome, reserve

HOLDS = 1_000
WIDEST = Outcome(
    Reason.ESTIMATED, (1 << 45) - 1, Usage(*(UNITS_MAX,) * 15), 599, (1 << 45) - 1, (1 << 45) - 1
)


async def test_settling_a_thousand_holds_allocates_no_page(tmp_path: Path) -> None:
    store, book = open_store(tmp_path / "ledger.db", budget("all", None))
    store.start(asyncio.get_running_loop())
    bundle = book.bundle((1,), NOW_MS)
    small = [reserve(book, bundle, number, 1_000) for number in range(HOLDS)]
    await commit(store, book.take_journal())
    before = await store.read(_pages)

    for hold in small:
        book.settle(hold, Nano(700), outcome(700))
    await commit(store, book.take_journal())

    assert await store.read(_pages) == before
    assert await store.close(5)


async def test_settling_with_the_widest_values_allocates_no_page(tmp_path: Path) -> None:
    store, book = open_store(tmp_path / "ledger.db", budget("all", None))
    store.start(asyncio.get_running_loop())
    holds = [reserve(book, _nothing(book), number, 1 << 50) for number in range(HOLDS)]
    await commit(store, book.take_journal())
    before = await store.read(_pages)

    for hold in holds:
        book.settle(hold, Nano(1 << 51), WIDEST)
    await commit(store, book.take_journal())

    assert await store.read(_pages) == before
    assert await store.close(5)


async def test_settling_at_a_dearer_tier_allocates_no_page_and_names_its_card(tmp_path: Path) -> None:
    store, book = open_store(tmp_path / "ledger.db", budget("all", None))
    store.start(asyncio.get_running_loop())
    holds = [reserve(book, _nothing(book), number, 1_000) for number in range(HOLDS)]
    await commit(store, book.take_journal())
    before = await store.read(_pages), await store.read(_cards)

    for hold in holds:
        book.settle(hold, Nano(700), outcome(700, price=TIER))
    await commit(store, book.take_journal())

    assert (await store.read(_pages), await store.read(_cards)) == before
    assert (await store.read(verify)).clean
    assert await store.close(5)


async def test_the_log_has_its_working_size_before_the_first_request(tmp_path: Path) -> None:
    store, _ = open_store(tmp_path / "ledger.db", budget("all", None))

    store.start(asyncio.get_running_loop())

    assert (tmp_path / "ledger.db-wal").stat().st_size >= 4 << 20
    assert await store.close(5)


def _nothing(book: Book) -> Bundle:
    return book.bundle((), NOW_MS)


def _cards(session: Session) -> int:
    cards: int = session.con.execute("SELECT count(*) FROM rate_card").fetchone()[0]
    return cards


def _pages(session: Session) -> int:
    pages: int = session.con.execute("PRAGMA page_count").fetchone()[0]
    return pages
