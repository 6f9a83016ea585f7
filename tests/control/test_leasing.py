"""Two nodes of one ledger, whole but for HTTP: exactly what fits is admitted, wherever it is asked for."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from otari_daemon.control.changes import Changes
from otari_daemon.control.ledger import Ledger
from otari_daemon.control.seats import Seats
from otari_daemon.control.sharing import Sharing
from otari_daemon.domain.book import Hold, Refused
from otari_daemon.domain.money import Nano
from otari_daemon.domain.settling import Bill
from otari_daemon.store import nodes
from otari_daemon.store.shared_store import SharedStore
from otari_daemon.store.store import Store
from otari_daemon.store.verify import verify
from otari_daemon.telemetry.clock import SystemClock
from tests.ledger.support import NOW_MS, add_budgets, budget, facts, outcome, rid_of
from tests.postgres import cluster

HELD = 70
FITTING = 701
LIMIT = FITTING * HELD + HELD - 1
REQUESTS = 2_000
WAIT_S = 30.0


class Node:
    """One node, as a daemon puts it together."""

    def __init__(self, url: str) -> None:
        self.store = SharedStore.open(url, now_ms=NOW_MS)
        self.book = self.store.load_book(self.store.begin_epoch())
        loop = asyncio.get_running_loop()
        self.store.start(loop)
        self.ledger, seats = Ledger(self.book, self.store, loop), Seats(self.book)
        changes = Changes(self.store, self.book, seats, 0)
        self.sharing = Sharing(self.store, self.book, self.ledger, changes, SystemClock())
        self.sharing.leasing.wait_s = WAIT_S
        self.bundle = self.book.bundle((1,), NOW_MS)
        self._numbers = itertools.count()
        self._task = asyncio.create_task(self.sharing.run())

    async def reserve(self, amount: int = HELD) -> Hold | Refused:
        """Reserve as a request does."""
        rid = rid_of(next(self._numbers), self.store.epoch)
        again: Any = partial(self.ledger.reserve, rid, self.bundle, Nano(amount), facts())
        held = again()
        return await self.sharing.leasing.admit(held, again) if isinstance(held, Refused) else held

    async def settle(self, hold: Hold, spent: int) -> None:
        """Settle, and wait for the disk."""
        end = outcome(spent)
        self.ledger.settle(hold, facts(), Bill(end.usage, Nano(spent)), end)
        assert await self.ledger.ticket().wait(WAIT_S)

    async def close(self) -> None:
        """Leave; a second time is harmless."""
        if not self._task.cancelled():
            self._task.cancel()
            await asyncio.wait((self._task,))
            await self.sharing.leave()
            await self.store.close(WAIT_S)


@pytest.fixture
async def pair() -> AsyncIterator[tuple[Node, Node]]:
    url = cluster().new_database()
    prepared = Store.open(url, now_ms=NOW_MS)
    prepared.write_now(add_budgets, budget("everybody", LIMIT))
    prepared.close_now()
    made = Node(url), Node(url)
    yield made
    for node in made:
        await node.close()


async def test_2000_requests_through_two_nodes_on_a_budget_for_701_admit_701(pair: tuple[Node, Node]) -> None:
    asking = [pair[number % 2].reserve() for number in range(REQUESTS)]

    ended = Counter(type(held) for held in await asyncio.gather(*asking))

    assert ended == {Hold: FITTING, Refused: REQUESTS - FITTING}
    for node in pair:
        assert await node.ledger.ticket().wait(WAIT_S)
    report = await pair[0].store.read(verify)
    assert report.clean, report.findings
    assert report.holds == FITTING


async def test_what_one_node_leaves_idle_serves_the_other(pair: tuple[Node, Node]) -> None:
    one, other = pair
    first = await one.reserve(LIMIT)
    assert isinstance(first, Hold)
    await one.settle(first, 1)

    assert isinstance(await other.reserve(LIMIT - 1), Hold)
    assert isinstance(await one.reserve(1), Refused)


async def test_of_two_nodes_that_each_lack_what_the_other_has_one_is_served(pair: tuple[Node, Node]) -> None:
    half = LIMIT // 2
    for node in pair:
        held = await node.reserve(half)
        assert isinstance(held, Hold)
        await node.settle(held, 1)

    ended = await asyncio.gather(*(node.reserve(half + 10) for node in pair))

    assert Counter(map(type, ended)) == {Hold: 1, Refused: 1}


async def test_a_limit_that_is_lowered_stops_what_was_leased_before(
    pair: tuple[Node, Node],
) -> None:
    one, _ = pair
    held = await one.reserve(1_000)
    assert isinstance(held, Hold)
    await one.settle(held, 1_000)

    one.book.accounts[1].limit = Nano(1_500)

    assert isinstance(await one.reserve(501), Refused)
    assert isinstance(await one.reserve(500), Hold)


async def test_requests_that_come_again_and_again_seldom_ask_the_database(pair: tuple[Node, Node]) -> None:
    one, _ = pair
    asked = 0
    for _ in range(200):
        held = one.ledger.reserve(rid_of(10_000 + asked + _, one.store.epoch), one.bundle, Nano(1), facts())
        if isinstance(held, Refused):
            asked += 1
            held = await one.reserve(1)
        assert isinstance(held, Hold)
        await one.settle(held, 1)

    assert asked < 50


async def test_a_node_that_leaves_leaves_nothing(pair: tuple[Node, Node]) -> None:
    one, other = pair
    held = await one.reserve()
    assert isinstance(held, Hold)
    await one.settle(held, HELD)

    await one.close()
    left = await other.store.read(nodes.news, one.store.epoch)

    assert (left.nodes, left.balances) == (1, [])
    assert isinstance(await other.reserve(LIMIT - HELD), Hold)
