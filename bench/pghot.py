"""One budget that everybody draws on, on PostgreSQL: leases of two nodes against an UPDATE for each request.

    python -m bench.pghot

In one run, rounds in turn: CLIENTS connections that each reserve by a conditional UPDATE and an INSERT in one
statement; and NODES processes that reserve from leases, wait for the commit, settle, and wait again. A server
of its own with fsync on. Exits 1 when the books are wrong or the leases are less than TARGET times as fast.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import sys
import time
from contextlib import closing
from functools import partial
from multiprocessing.synchronize import Barrier
from typing import Any, NamedTuple

import psycopg2

from otari_daemon.control.changes import Changes
from otari_daemon.control.ledger import Ledger
from otari_daemon.control.seats import Seats
from otari_daemon.control.sharing import Sharing
from otari_daemon.domain.book import Bundle, Hold, Refused
from otari_daemon.domain.money import Nano
from otari_daemon.domain.settling import Bill
from otari_daemon.store.database import Session
from otari_daemon.store.engines import reading
from otari_daemon.store.shared_store import SharedStore
from otari_daemon.store.store import Store
from otari_daemon.store.verify import verify
from otari_daemon.telemetry.clock import SystemClock
from tests.ledger.support import NOW_MS, add_budgets, budget, facts, outcome, rid_of
from tests.postgres import DURABLE, Cluster

ROUNDS = 3
ROUND_S = 4.0
CLIENTS = 8
NODES = 2
IN_FLIGHT = 512
HELD, SPENT = Nano(100), Nano(60)
LIMIT = 10**12
TARGET = 3.0
STARTED_S = 30.0

DIRECT = """WITH moved AS (UPDATE hot SET pending_n = pending_n + 100
  WHERE id = 1 AND posted_n + pending_n + 100 <= limit_n RETURNING id)
  INSERT INTO hot_hold(budget_id, held_n) SELECT id, 100 FROM moved"""
TABLES = """CREATE TABLE hot(id bigint PRIMARY KEY, limit_n bigint, posted_n bigint, pending_n bigint)
  WITH (fillfactor = 70);
  CREATE TABLE hot_hold(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, budget_id bigint, held_n bigint);
  INSERT INTO hot VALUES (1, 1000000000000, 0, 0)"""


class Node(NamedTuple):
    """One node's part of the ledger, as a daemon puts it together."""

    store: SharedStore
    ledger: Ledger
    sharing: Sharing
    bundle: Bundle


def direct(url: str, begin: Barrier, counts: multiprocessing.Queue[int]) -> None:
    """One client that updates the row for each reservation, in every round."""
    with closing(psycopg2.connect(url)) as con:
        con.autocommit = True
        cursor = con.cursor()
        for _ in range(ROUNDS):
            begin.wait(STARTED_S)
            done, until_s = 0, time.monotonic() + ROUND_S
            while time.monotonic() < until_s:
                cursor.execute(DIRECT)
                done += cursor.rowcount
            counts.put(done)
            begin.wait(STARTED_S)
            begin.wait(STARTED_S + ROUND_S)


def leased(url: str, begin: Barrier, counts: multiprocessing.Queue[int]) -> None:
    """One node, in every round after the direct clients."""
    asyncio.run(_leased(url, begin, counts))


async def _leased(url: str, begin: Barrier, counts: multiprocessing.Queue[int]) -> None:
    node = await opened(url)
    beating = asyncio.create_task(node.sharing.run())
    for number in range(ROUNDS):
        await asyncio.to_thread(begin.wait, STARTED_S)
        await asyncio.to_thread(begin.wait, STARTED_S)
        counts.put(await reserve_for_a_while(node, number))
        await asyncio.to_thread(begin.wait, STARTED_S)
    beating.cancel()
    await node.sharing.leave()
    await node.store.close(10)


async def opened(url: str) -> Node:
    """Join the nodes."""
    store = SharedStore.open(url, now_ms=NOW_MS)
    book = store.load_book(store.begin_epoch())
    loop = asyncio.get_running_loop()
    store.start(loop)
    ledger, seats = Ledger(book, store, loop), Seats(book)
    ledger.sharing = Sharing(store, book, ledger, Changes(store, book, seats, 0), SystemClock())
    return Node(store, ledger, ledger.sharing, book.bundle((1,), NOW_MS))


async def reserve_for_a_while(node: Node, number: int) -> int:
    """Reserve, wait for the disk, settle, wait again; return how many requests were whole."""
    until_s, done = time.monotonic() + ROUND_S, 0
    numbers = iter(range(number * 10**6, (number + 1) * 10**6))

    async def worker() -> None:
        nonlocal done
        while time.monotonic() < until_s:
            about, rid = facts(), rid_of(next(numbers), node.store.epoch)

            reserve = partial(node.ledger.reserve, rid, node.bundle, HELD, about)
            hold: Any = reserve()
            if isinstance(hold, Refused):
                hold = await node.sharing.leasing.admit(hold, reserve)
            assert isinstance(hold, Hold), hold
            await node.ledger.ticket().wait(STARTED_S)
            end = outcome(SPENT)
            node.ledger.settle(hold, about, Bill(end.usage, SPENT), end)
            await node.ledger.ticket().wait(STARTED_S)
            done += 1

    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    return done


def prepare(url: str) -> None:
    """One budget for everybody, and a row of the naive kind."""
    store = Store.open(url, now_ms=NOW_MS)
    store.write_now(add_budgets, budget("hot", LIMIT))
    store.close_now()
    with closing(psycopg2.connect(url)) as con, con, con.cursor() as cursor:
        cursor.execute(TABLES)


def measure(url: str) -> list[tuple[float, float]]:
    """Reservations per second of every round: direct, and leased."""
    context = multiprocessing.get_context("spawn")
    begin = context.Barrier(CLIENTS + NODES + 1)
    directly: multiprocessing.Queue[int] = context.Queue()
    by_lease: multiprocessing.Queue[int] = context.Queue()
    workers = [context.Process(target=direct, args=(url, begin, directly)) for _ in range(CLIENTS)]
    workers += [context.Process(target=leased, args=(url, begin, by_lease)) for _ in range(NODES)]
    for worker in workers:
        worker.start()
    rounds = []
    for _ in range(ROUNDS):
        begin.wait(STARTED_S)
        first = sum(directly.get(timeout=STARTED_S) for _ in range(CLIENTS)) / ROUND_S
        begin.wait(STARTED_S)
        second = sum(by_lease.get(timeout=STARTED_S) for _ in range(NODES)) / ROUND_S
        begin.wait(STARTED_S)
        rounds.append((first, second))
        print(f"{first:10,.0f} reservations/s by UPDATE {second:10,.0f} by lease, and settled", flush=True)
    for worker in workers:
        worker.join(STARTED_S)
    return rounds


def main() -> int:
    """Measure and judge."""
    server = Cluster(*DURABLE)
    try:
        url = server.new_database()
        prepare(url)
        rounds = measure(url)
        with reading(url) as con:
            report = verify(Session(con, None))
    finally:
        server.remove()
    for finding in report.findings[:3]:
        print(*finding)
    print(f"books: {'clean' if report.clean else 'wrong'}, {report.holds} holds, so nothing is overspent")
    ratio = statistics.median(second / first for first, second in rounds)
    print(f"leases / UPDATE of the hot row: {ratio:.1f} (target: at least {TARGET})")
    return 0 if report.clean and ratio >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
