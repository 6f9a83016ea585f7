"""PostgreSQL that goes away, does not answer, or belongs to somebody else: nothing is lost, nothing twice."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator

import psycopg2
import pytest

from otari_daemon.domain.money import Nano
from otari_daemon.store.database import Connection
from otari_daemon.store.engines import open_database
from otari_daemon.store.errors import LedgerCorrupt, StoreError, StoreUnavailable
from otari_daemon.store.store import Store
from otari_daemon.store.verify import verify
from tests.ledger.support import NOW_MS, WAIT_S, budget, commit, open_store, outcome, reserve
from tests.ledger.watch import Watch
from tests.postgres import DURABLE, Cluster, cluster
from tests.postgres_line import Break, Line

END_SESSIONS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A server of one's own, to stop and start; it syncs as a real one does."""
    made = Cluster(*DURABLE)
    yield made
    made.remove()


@pytest.mark.parametrize("where", Break)
async def test_a_commit_whose_end_is_not_known_happens_once(where: Break) -> None:
    url = cluster().new_database()
    with Line(cluster().place) as line:
        store, book = open_store(url.replace(str(cluster().place), str(line.place)), budget("all", None))
        store.start(asyncio.get_running_loop())
        first = reserve(book, book.bundle((1,), NOW_MS), 1, 100)
        await commit(store, book.take_journal())

        line.break_at_commit(where)
        book.settle(first, Nano(40), outcome(40))
        reserve(book, book.bundle((1,), NOW_MS), 2, 7)
        noted = asyncio.ensure_future(store.write(_note, "written once"))
        await asyncio.sleep(0)  # the write is queued before the post, so both share a commit or follow
        await commit(store, book.take_journal())

        report = await store.read(verify)
        notes = await store.read(lambda session: session.con.execute(NOTES).fetchall())
        assert await asyncio.wait_for(_ended(noted), WAIT_S) in (None, StoreUnavailable)
        assert await store.close(5)
    assert (line.broken, report.clean, report.holds) == (1, True, 2)
    assert len(notes) == (noted.exception() is None)


async def test_sessions_that_are_ended_are_made_again() -> None:
    url = cluster().new_database()
    store, book = open_store(url, budget("all", None))
    store.start(asyncio.get_running_loop())
    await store.read(verify)

    cluster().execute(url.split("/")[3].partition("?")[0], END_SESSIONS)
    reserve(book, book.bundle((1,), NOW_MS), 1, 100)
    await commit(store, book.take_journal())

    assert (await store.read(verify)).holds == 1
    assert (store.available, await store.close(5)) == (True, True)


async def test_a_server_that_crashes_loses_nothing_and_is_found_again(own_cluster: Cluster) -> None:
    store, book = open_store(own_cluster.new_database(), budget("all", None))
    store.start(asyncio.get_running_loop())
    watch, bundle = Watch(store), book.bundle((1,), NOW_MS)
    hold = reserve(book, bundle, 1, 100)
    await commit(store, book.take_journal())
    store.read_now(verify)

    own_cluster.stop(signal.SIGQUIT)
    book.settle(hold, Nano(40), outcome(40))
    done = asyncio.Event()
    store.post(book.take_journal(), done.set)
    await watch.until(available=False)
    with pytest.raises(StoreUnavailable):
        await store.write(_note, "refused")
    waiting = (store.backlog, done.is_set())
    own_cluster.start()
    await watch.until(available=True)
    await asyncio.wait_for(done.wait(), WAIT_S)

    assert (waiting, store.backlog) == ((1, False), 0)
    assert store.read_now(verify).clean  # by a connection that had been lost as well
    assert await store.close(5)


async def test_a_server_that_does_not_answer_is_given_up_and_found_again(own_cluster: Cluster) -> None:
    store, book = open_store(own_cluster.new_database(), budget("all", None))
    store.start(asyncio.get_running_loop())
    watch = Watch(store)

    own_cluster.freeze()
    reserve(book, book.bundle((1,), NOW_MS), 1, 100)
    done = asyncio.Event()
    store.post(book.take_journal(), done.set)
    await watch.until(available=False)
    own_cluster.thaw()
    await watch.until(available=True)
    await asyncio.wait_for(done.wait(), WAIT_S)

    report = await store.read(verify)
    assert (report.clean, report.holds) == (True, 1)
    assert await store.close(5)


async def test_a_daemon_whose_database_was_taken_over_stops_for_good() -> None:
    url = cluster().new_database()
    store, book = open_store(url, budget("all", None))
    store.start(asyncio.get_running_loop())
    stopped = Watch(store)

    with psycopg2.connect(url) as con:
        con.cursor().execute("UPDATE meta SET value = value + 1 WHERE name = 'epoch'")
    con.close()
    reserve(book, book.bundle((1,), NOW_MS), 1, 100)
    store.post(book.take_journal(), lambda: None)
    await stopped.until(available=False)

    assert isinstance(store.failure, LedgerCorrupt)
    assert "taken this database over" in str(store.failure)
    assert not await store.close(5)


def test_a_second_daemon_on_the_same_database_is_refused() -> None:
    url = cluster().new_database()
    first = Store.open(url, now_ms=NOW_MS)

    with pytest.raises(StoreError, match="another otari daemon is using the database"):
        Store.open(url, now_ms=NOW_MS)

    first.close_now()
    Store.open(url, now_ms=NOW_MS).close_now()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://otari:s3cret@/x?host=/nowhere", "No such file or directory"),
        ("postgresql://otari:s3cret@/x?bogus=1", "not one that PostgreSQL's library understands"),
        ("postgresql://otari:s3cret@127.0.0.1:1/x", "Connection refused"),
    ],
)
def test_a_database_that_cannot_be_reached_is_refused_in_one_line_without_its_password(
    url: str, said: str
) -> None:
    with pytest.raises(StoreError, match=said) as refused:
        open_database(url)

    assert "s3cret" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_commits_are_synchronous_whatever_the_database_has_been_told() -> None:
    url = cluster().new_database()
    name = url.split("/")[3].partition("?")[0]
    cluster().execute(name, f"ALTER DATABASE {name} SET synchronous_commit = off")

    database = open_database(url)
    with database.transaction() as con:
        found = con.execute("SHOW synchronous_commit").fetchone()
    database.close()

    assert found == ("on",)


def test_a_reader_cannot_write_and_sees_one_moment() -> None:
    url = cluster().new_database()
    store = Store.open(url, now_ms=NOW_MS)

    with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
        store.read_now(lambda session: session.con.execute("UPDATE meta SET value = 0"))

    isolation = store.read_now(lambda session: session.con.execute("SHOW transaction_isolation").fetchone())
    store.close_now()
    assert isolation == ("repeatable read",)


NOTES = "SELECT name FROM meta WHERE name = 'written once'"


def _note(con: Connection, name: str) -> None:
    con.execute("INSERT INTO meta VALUES (?, 1)", (name,))


async def _ended(write: asyncio.Future[None]) -> type[BaseException] | None:
    try:
        await write
    except StoreUnavailable:
        return StoreUnavailable
    return None
