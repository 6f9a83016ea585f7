"""Cells that several daemons on one PostgreSQL write: what is built anew waits for what others have open."""

from __future__ import annotations

import asyncio

import psycopg2
import pytest

from otari_daemon.domain.book import Book
from otari_daemon.domain.grains import Grain, start_of
from otari_daemon.domain.money import Nano
from otari_daemon.store import rebuild, usage
from otari_daemon.store.reports import Question, gather
from otari_daemon.store.store import Store
from otari_daemon.store.verify import verify
from tests.ledger.support import NOW_MS, WAIT_S, commit, outcome, reserve

WAITING = """SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'usage_cell'::regclass"""


async def _until_somebody_waits(other: psycopg2.extensions.connection) -> None:
    with other.cursor() as cursor:
        async with asyncio.timeout(WAIT_S):
            while True:  # until the timeout above
                cursor.execute(WAITING)
                if cursor.fetchone() == (1,):
                    return
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_an_hour_is_built_anew_from_what_another_daemon_was_about_to_commit(
    served: tuple[Store, Book], database_url: str
) -> None:
    """The other transaction is played: it is the first to have cells there, so no row of them is locked."""
    store, book = served
    hold = reserve(book, book.bundle((1,), NOW_MS), 1, 100)
    book.settle(hold, Nano(40), outcome(40))
    await commit(store, book.take_journal())
    plan = await store.write(rebuild.begin)
    other = psycopg2.connect(database_url)
    with other.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE cells AS TABLE usage_cell")
        other.commit()
        await store.write(lambda con: con.execute("DELETE FROM usage_cell WHERE grain = 1") and None)
        cursor.execute("INSERT INTO usage_cell SELECT * FROM cells WHERE grain = 1")
        built = asyncio.create_task(store.write(rebuild.build, Grain.HOUR, start_of(Grain.HOUR, NOW_MS)))
        await _until_somebody_waits(other)
    other.commit()
    await built
    other.close()

    assert await store.write(rebuild.finish, plan.seen)
    found = await store.read(gather, Question(0, usage.END_MS, lambda _: ()))
    assert [(sums.counts.requests, sums.counts.cost) for sums in found.values()] == [(1, 40)]
    assert (await store.read(verify)).clean
