"""Many requests at once on one budget: exactly as many are admitted as fit, and all of it is on disk."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from otari_daemon.domain.book import Hold
from otari_daemon.domain.money import Nano
from otari_daemon.store.verify import verify
from tests.ledger.support import NOW_MS, budget, commit, facts, open_store, outcome, rid_of

REQUESTS = 300


@pytest.mark.parametrize("fitting", [0, 1, 137, 300])
async def test_a_budget_that_fits_k_requests_admits_exactly_k(database_url: str, fitting: int) -> None:
    store, book = open_store(database_url, budget("all", None), budget("hot", fitting * 70))
    store.start(asyncio.get_running_loop())
    bundle = book.bundle((1, 2), NOW_MS)

    async def request(number: int) -> bool:
        hold = book.reserve(rid_of(number), bundle, Nano(70), facts(number))
        if not isinstance(hold, Hold):
            return False
        await commit(store, book.take_journal())
        return True

    admitted = await asyncio.gather(*(request(number) for number in range(REQUESTS)))

    assert sum(admitted) == fitting
    report = await store.read(verify)
    assert (report.clean, report.holds) == (True, fitting)
    assert await store.close(5)


async def test_a_hold_opened_and_closed_in_one_batch_is_one_row(database_url: str) -> None:
    store, book = open_store(database_url, budget("all", 100))
    store.start(asyncio.get_running_loop())
    bundle = book.bundle((1,), NOW_MS)
    for number in range(10):
        hold = book.reserve(rid_of(number), bundle, Nano(100), facts(number))
        assert isinstance(hold, Hold)
        book.settle(hold, Nano(10), outcome(10)) if number == 0 else book.void(hold, outcome(0))
        if number == 0:
            book.accounts[1].limit = Nano(110)

    await commit(store, book.take_journal())

    report = await store.read(verify)
    assert (report.clean, report.holds) == (True, 10)
    assert await store.close(5)


async def test_done_is_called_in_the_order_of_the_posts(database_url: str) -> None:
    store, book = open_store(database_url, budget("all", None))
    store.start(asyncio.get_running_loop())
    bundle = book.bundle((1,), NOW_MS)
    order: list[int] = []
    for number in range(200):
        book.reserve(rid_of(number), bundle, Nano(1), facts(number))
        store.post(book.take_journal(), partial(order.append, number))

    assert await store.close(5)

    assert order == list(range(200))
