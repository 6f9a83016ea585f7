"""Nodes of one PostgreSQL ledger at the store: grants, recalls, sweeps, fences, and who may open it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing

import psycopg2
import pytest

from otari_daemon.domain.book import Bundle, Entry
from otari_daemon.domain.leases import Renewal, Terms
from otari_daemon.domain.money import Nano
from otari_daemon.domain.shared_book import SharedBook
from otari_daemon.store import nodes
from otari_daemon.store.errors import LedgerCorrupt, StoreError
from otari_daemon.store.shared_store import SharedStore
from otari_daemon.store.store import Store
from otari_daemon.store.verify import verify
from tests.ledger.support import NOW_MS, add_budgets, budget, commit, open_store, outcome, reserve
from tests.postgres import cluster

LIMIT = 1_000
WAIT_S = 20.0


class Node:
    """One node: its store, its book, and the bundle of everybody's budget."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.store = SharedStore.open(url, now_ms=NOW_MS)
        self.book: SharedBook = self.store.load_book(self.store.begin_epoch())
        self.bundle: Bundle = self.book.bundle((1,), NOW_MS)
        self.store.start(asyncio.get_running_loop())

    async def ask(self, need: int, least: int = 0) -> Terms:
        """Have so much leased, if it is there."""
        balance = self.bundle.balances[0]
        asked = Renewal(balance.key, Nano(LIMIT), Nano(least), Nano(need), Nano(0), Nano(1), 2)
        self.book.lease(balance).cap = Nano(LIMIT)
        await self.post(asked)
        assert asked.terms is not None
        self.book.renewed(asked, asked.terms, balance)
        return asked.terms

    async def post(self, *more: Entry) -> None:
        """Commit what was decided."""
        await commit(self.store, [*self.book.take_journal(), *more])


@pytest.fixture
async def pair() -> AsyncIterator[tuple[Node, Node]]:
    url = cluster().new_database()
    prepared = Store.open(url, now_ms=NOW_MS)
    prepared.write_now(add_budgets, budget("everybody", LIMIT))
    prepared.close_now()
    made = Node(url), Node(url)
    yield made
    for node in made:
        await node.store.close(WAIT_S)


def silence(node: Node) -> None:
    """Have it look as if a node had not committed for long."""
    with closing(psycopg2.connect(node.url)) as con, con, con.cursor() as cursor:
        cursor.execute("UPDATE node SET heartbeat_ms = 0 WHERE epoch = %s", (node.store.epoch,))


async def test_two_nodes_never_lease_more_than_there_is(pair: tuple[Node, Node]) -> None:
    rounds = [await asyncio.gather(*(node.ask(need=70, least=70) for node in pair)) for _ in range(10)]

    assert sum(terms.granted for both in rounds for terms in both) == LIMIT // 70 * 70
    assert (await pair[0].store.read(verify)).clean


async def test_what_is_idle_elsewhere_is_told_and_asked_back(pair: tuple[Node, Node]) -> None:
    one, other = pair
    await one.ask(need=900)

    short = await other.ask(need=200, least=200)
    news = await one.store.read(nodes.news, one.store.epoch)
    one.book.give_back(one.book.lease(one.bundle.balances[0]))
    await one.post()

    assert (short.granted, short.remaining, short.elsewhere) == (0, 100, 900)
    assert [recalls for *_, recalls in news.balances] == [1]
    assert (await other.ask(need=200, least=200)).granted == 200


async def test_a_request_moves_its_lease_and_then_what_it_used(pair: tuple[Node, Node]) -> None:
    one, other = pair
    await one.ask(need=500)
    hold = reserve(one.book, one.bundle, 1, 300)
    await one.post()
    held = await one.store.read(verify)
    one.book.settle(hold, Nano(120), outcome(120))
    await one.post()

    assert held.clean
    assert (await one.store.read(verify)).clean
    terms = await other.ask(need=1)
    assert (terms.posted, terms.elsewhere, terms.remaining) == (120, 380, 499)


async def test_a_silent_node_is_swept_once_and_commits_nothing_more(pair: tuple[Node, Node]) -> None:
    one, other = pair
    await one.ask(need=500)
    hold = reserve(one.book, one.bundle, 1, 300)
    await one.post()
    silence(one)

    first = await other.store.write(nodes.sweep, other.store.epoch, NOW_MS)
    second = await other.store.write(nodes.sweep, other.store.epoch, NOW_MS)
    one.book.settle(hold, Nano(120), outcome(120))
    stopped = asyncio.Event()
    one.store.on_availability(lambda _: stopped.set())
    one.store.post(one.book.take_journal(), lambda: pytest.fail("a dead node has committed"))
    await asyncio.wait_for(stopped.wait(), WAIT_S)

    assert first is not None
    assert second is not None
    assert (first.nodes, len(first.holds), first.leases) == ([one.store.epoch], 1, 1)
    assert (second.nodes, second.holds, second.leases) == ([], [], 0)
    assert isinstance(one.store.failure, LedgerCorrupt)
    assert (await other.store.read(verify)).clean
    assert (await other.ask(need=1)).elsewhere == 0


async def test_a_change_that_does_not_know_of_the_last_one_is_not_made(pair: tuple[Node, Node]) -> None:
    one, other = pair

    made = [
        await one.store.write(nodes.count_change, 0),
        await other.store.write(nodes.count_change, 0),
        await other.store.write(nodes.count_change, 1),
    ]

    assert made == [True, False, True]


async def test_nodes_and_a_single_daemon_keep_each_other_out(pair: tuple[Node, Node]) -> None:
    url = pair[0].url
    with pytest.raises(StoreError, match="another otari daemon is using the database"):
        Store.open(url, now_ms=NOW_MS)
    await pair[0].ask(need=500)
    for node in pair:
        await node.store.close(WAIT_S)

    alone, book = open_store(url)
    with pytest.raises(StoreError, match="another otari daemon is using the database"):
        SharedStore.open(url, now_ms=NOW_MS)
    report = alone.read_now(verify)
    alone.close_now()

    assert report.clean
    balance = book.accounts[1].balance
    assert balance is not None
    assert balance.held == 0
