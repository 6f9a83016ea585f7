"""What the next daemon makes of the holds of a dead one, and of its balances."""

from __future__ import annotations

import asyncio

import pytest

from otari_daemon.domain.book import Book
from otari_daemon.domain.money import Nano
from otari_daemon.domain.pricing import Price, Rates
from otari_daemon.domain.records import Progress, Reason, RecoveredHold
from otari_daemon.domain.usage import Usage
from otari_daemon.domain.windows import Calendar, Every, Lifetime, Period, Window
from otari_daemon.store import budgets, usage
from otari_daemon.store.database import Session
from otari_daemon.store.errors import LedgerCorrupt
from otari_daemon.store.store import Store
from otari_daemon.store.verify import verify
from tests.ledger.support import NOW_MS, budget, commit, facts, open_store, outcome, reserve, rid_of

DAY_MS = 86_400_000


async def test_a_sent_hold_is_posted_at_its_progress_and_no_more_than_it_held(database_url: str) -> None:
    store, book = await _started(database_url)
    bundle = book.bundle((1,), NOW_MS)
    for number, amount in enumerate((1_000, 1_000, 25), 1):
        reserve(book, bundle, number, amount)
    await commit(store, [*book.take_journal(), Progress(rid_of(2), 40), Progress(rid_of(3), 40)])
    await store.close(5)

    store = _open(database_url)
    epoch = store.begin_epoch()
    closed = store.recover(epoch, NOW_MS + 7)
    again = store.recover(epoch, NOW_MS + 8)
    row = store.read_now(usage.one, rid_of(2))
    limits = store.read_now(lambda session: session.con.execute("SELECT limit_n FROM balance").fetchall())
    balance = store.load_book(epoch).accounts[1].balance

    expected = [(rid_of(1), 1_000, 10), (rid_of(2), 1_000, 90), (rid_of(3), 25, 25)]
    assert ([tuple(each) for each in closed], again) == (expected, [])
    assert row is not None
    assert (row.reason, row.settled_ms, row.usage.output, row.state) == (Reason.CRASH, NOW_MS + 7, 40, 4)
    assert (row.status, row.first_byte_us, row.duration_us) == (0, 0, 0)
    assert balance is not None
    assert (balance.posted, balance.held, limits) == (125, 0, [(10_000,)])
    assert store.read_now(verify).clean
    store.close_now()


async def test_a_hold_that_was_never_sent_is_voided(database_url: str) -> None:
    store, book = await _started(database_url)
    reserve(book, book.bundle((1,), NOW_MS), 1, 500)
    await commit(store, book.take_journal())
    await store.close(5)
    store = _open(database_url)
    store.write_now(lambda con: con.execute("UPDATE hold SET state = 0"))

    closed = store.recover(store.begin_epoch(), NOW_MS)

    assert closed == [RecoveredHold(rid_of(1), Nano(500), Nano(0))]
    assert store.read_now(verify).clean
    store.close_now()


async def test_holds_without_ceilings_are_recovered_too(database_url: str) -> None:
    store, book = await _started(database_url)
    reserve(book, book.bundle((), NOW_MS), 1, 500)
    await commit(store, book.take_journal())
    await store.close(5)
    store = _open(database_url)

    closed = store.recover(store.begin_epoch(), NOW_MS)

    assert closed == [RecoveredHold(rid_of(1), Nano(500), Nano(10))]
    assert store.read_now(verify).clean
    store.close_now()


async def test_a_hold_whose_price_is_gone_stops_the_start(database_url: str) -> None:
    store, book = await _started(database_url)
    reserve(book, book.bundle((1,), NOW_MS), 1, 500)
    await commit(store, book.take_journal())
    await store.close(5)
    store = _open(database_url)
    store.write_now(lambda con: con.execute("DELETE FROM rate_card"))
    epoch = store.begin_epoch()

    with pytest.raises(LedgerCorrupt, match="rate card"):
        store.recover(epoch, NOW_MS)

    assert len(store.read_now(usage.open_holds)) == 1
    store.close_now()


async def test_a_hold_whose_bundle_is_gone_stops_the_start(database_url: str) -> None:
    store, book = await _started(database_url)
    bundle = book.bundle((1,), NOW_MS)
    reserve(book, bundle, 1, 500)
    await commit(store, book.take_journal())
    await store.close(5)
    store = _open(database_url)
    store.write_now(lambda con: con.execute("DELETE FROM bundle"))
    epoch = store.begin_epoch()

    with pytest.raises(LedgerCorrupt, match=f"bundle {bundle.id}, which is not there"):
        store.recover(epoch, NOW_MS)

    assert len(store.read_now(usage.open_holds)) == 1
    store.close_now()


async def test_a_sent_hold_is_charged_what_its_price_takes_for_a_request(database_url: str) -> None:
    store, book = await _started(database_url)
    price = Price("mock:echo", Rates.of(input=1_000, requests=7_000), 0, "test")
    book.reserve(rid_of(1), book.bundle((1,), NOW_MS), Nano(500), facts(price=price, prompt=10))
    await commit(store, book.take_journal())
    await store.close(5)
    store = _open(database_url)

    closed = store.recover(store.begin_epoch(), NOW_MS)
    row = store.read_now(usage.one, rid_of(1))

    assert closed == [RecoveredHold(rid_of(1), Nano(500), Nano(10 + 7))]
    assert row is not None
    assert row.usage == Usage(input=10, requests=1)
    assert store.read_now(verify).clean
    store.close_now()


@pytest.mark.parametrize(
    ("window", "period"),
    [
        (Lifetime(), Period(0, 1 << 62)),
        (Every(DAY_MS, NOW_MS - 1), Period(NOW_MS - 1, NOW_MS - 1 + DAY_MS)),
        (Calendar("month", "Asia/Kathmandu"), Period(1_748_715_300_000, 1_751_307_300_000)),
    ],
)
async def test_the_loaded_book_goes_on_in_the_same_period(
    database_url: str, window: Window, period: Period
) -> None:
    store, book = open_store(database_url, budget("all", 1_000, window))
    store.start(asyncio.get_running_loop())
    hold = reserve(book, book.bundle((1,), NOW_MS), 1, 900)
    book.settle(hold, Nano(950), outcome(950))
    book.acknowledge(1)
    await commit(store, book.take_journal())
    await store.close(5)

    store, loaded = open_store(database_url)
    before, after = book.accounts[1], loaded.accounts[1]
    loaded.bundle((1,), NOW_MS + 1_000)

    assert after == before
    assert (after.period, after.window) == (period, window)
    store.close_now()


async def test_bundle_ids_of_a_new_epoch_are_above_all_earlier_ones(database_url: str) -> None:
    store, book = await _started(database_url)
    used = book.bundle((1,), NOW_MS).id
    await commit(store, book.take_journal())
    await store.close(5)

    store, loaded = open_store(database_url)

    assert loaded.first_bundle_id >> 32 == (used >> 32) + 1
    store.close_now()


async def test_a_window_that_changed_goes_on_where_its_newest_balance_is(database_url: str) -> None:
    daily = budget("all", 1_000, Calendar("day"))
    store, book = open_store(database_url, daily)
    store.start(asyncio.get_running_loop())
    reserve(book, book.bundle((1,), NOW_MS), 1, 10)
    await commit(store, book.take_journal())
    await store.write(budgets.update, budget("all", 1_000, Calendar("month")))
    await store.close(5)

    store, loaded = open_store(database_url)

    day_start_ms = Calendar("day").period(NOW_MS).start_ms
    assert loaded.accounts[1].period == Period(day_start_ms, Calendar("month").period(NOW_MS).end_ms)
    assert store.read_now(_balances) == 1
    store.close_now()


async def _started(url: str) -> tuple[Store, Book]:
    store, book = open_store(url, budget("all", 10_000))
    store.start(asyncio.get_running_loop())
    return store, book


def _open(url: str) -> Store:
    return Store.open(url, now_ms=NOW_MS)


def _balances(session: Session) -> int:
    count: int = session.con.execute("SELECT count(*) FROM balance").fetchone()[0]
    return count
