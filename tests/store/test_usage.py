"""Usage as it is asked for: pages, filters, groups, and what is still running."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otari_daemon.domain.book import Book, Hold
from otari_daemon.domain.money import Nano
from otari_daemon.domain.pricing import charge
from otari_daemon.domain.records import Facts, Outcome, Reason
from otari_daemon.domain.usage import NOTHING, Usage
from otari_daemon.store import sql, usage
from otari_daemon.store.database import Session
from otari_daemon.store.reports import Question, gather
from otari_daemon.store.store import Store
from otari_daemon.store.usage import Cursor, Filter
from tests.ledger.support import NOW_MS, PRICE, commit, facts, rid_of

Served = tuple[Store, Book]
REQUESTS = 40
DAY_MS = 86_400_000
USED = Usage(input=10, cache_read=4, cache_write=1, output=5, reasoning=2)
COST = charge(USED, PRICE.rates)


@pytest.fixture
async def worked(served: Served) -> Store:
    """Forty settled requests of five keys, three users and two models on two days, four at a time."""
    store, book = served
    bundle = book.bundle((1,), NOW_MS)
    for number in range(REQUESTS):
        hold = book.reserve(rid_of(number), bundle, Nano(100), _facts(number))
        assert isinstance(hold, Hold)
        book.settle(hold, COST, Outcome(Reason.USAGE, NOW_MS + 9, USED, 200, 11, 22))
    await commit(store, book.take_journal())
    return store


def _facts(number: int) -> Facts:
    model, provider = ("openai:gpt", "openai") if number % 4 else ("mock:echo", "mock")
    price = replace(PRICE, model=model)
    created_ms = NOW_MS + (number // 4) * 10 + (DAY_MS if number >= 20 else 0)
    return facts(number, price)._replace(created_ms=created_ms, model=model, provider=provider)


@pytest.mark.parametrize("size", [1, 3, 7, 40, 100])
@pytest.mark.parametrize("wanted", [Filter(), Filter(key_id="key2"), Filter(user_id="user1")])
async def test_pages_cover_every_row_once_newest_first(worked: Store, size: int, wanted: Filter) -> None:
    whole = await worked.read(usage.rows, wanted, 1_000)
    paged: list[usage.Row] = []
    before = usage.NEWEST

    while page := await worked.read(usage.rows, wanted, size, before):
        paged += page
        before = Cursor(page[-1].created_ms, page[-1].rid)

    assert paged == whole
    assert whole == sorted(whole, key=lambda row: (row.created_ms, row.rid), reverse=True)


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(key_id="key1"),
        Filter(user_id="user2"),
        Filter(key_id="key1", user_id="user1"),
        Filter(model="mock:echo"),
        Filter(provider="openai", user_id="user0"),
        Filter(since_ms=NOW_MS + 20, until_ms=NOW_MS + DAY_MS + 60),
        Filter(key_id="nobody"),
    ],
)
async def test_a_filter_keeps_exactly_what_it_says(worked: Store, wanted: Filter) -> None:
    expected = {rid_of(number) for number in range(REQUESTS) if _matches(_facts(number), wanted)}

    rows = await worked.read(usage.rows, wanted, 1_000)

    assert {row.rid for row in rows} == expected


async def test_a_row_says_everything_about_its_request(worked: Store) -> None:
    row = await worked.read(usage.one, rid_of(6))

    assert row is not None
    wanted = _facts(6)
    assert (row.key_id, row.user_id, row.endpoint, row.model, row.provider, row.stream) == wanted[
        :2
    ] + wanted[3:7]
    assert (row.usage, row.cost, row.held, row.reason) == (USED, COST, 100, Reason.USAGE)
    assert (row.settled_ms, row.status, row.first_byte_us, row.duration_us) == (NOW_MS + 9, 200, 11, 22)
    assert await worked.read(usage.one, b"\x00" * 16) is None


async def test_running_requests_are_listed_and_not_summed(served: Served) -> None:
    store, book = served
    bundle = book.bundle((1,), NOW_MS)
    for number in (2, 1):
        book.reserve(rid_of(number), bundle, Nano(70), facts(number))
    await commit(store, book.take_journal())

    running = await store.read(usage.open_holds)

    assert [row.rid for row in running] == [rid_of(1), rid_of(2)]
    assert {(row.open, row.held, row.posted, row.usage, row.reason, row.settled_ms) for row in running} == {
        (True, 70, 0, NOTHING, None, None)
    }
    every = Question(0, usage.END_MS, lambda series: (series.key_id,))
    assert await store.read(gather, every) == {}


BY_INDEX = pytest.mark.parametrize(
    ("wanted", "index"),
    [(Filter(), "hold_created"), (Filter(key_id="k"), "hold_key"), (Filter(user_id="u"), "hold_user")],
)


@BY_INDEX
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_postgresql_can_read_every_kind_of_page_along_an_index(
    worked: Store, wanted: Filter, index: str
) -> None:
    def plan(session: Session) -> str:
        session.con.execute("SET LOCAL enable_seqscan = off")  # the table is too small to need an index
        values = {**wanted._asdict(), "before_ms": 1 << 62, "before_rid": b"", "count": 1}
        steps = session.con.execute("EXPLAIN " + sql.ROWS[usage._access(wanted)], values)
        return " / ".join(step[0] for step in steps)

    for other in {"hold_created", "hold_key", "hold_user"} - {index}:
        await worked.write(lambda con, name: con.execute(f"DROP INDEX {name}") and None, other)
    text = await worked.read(plan)
    assert index in text
    assert "Seq Scan" not in text


@BY_INDEX
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_kind_of_page_is_read_along_an_index(worked: Store, wanted: Filter, index: str) -> None:
    plan = await worked.read(
        lambda session: session.con.execute(
            "EXPLAIN QUERY PLAN " + sql.ROWS[usage._access(wanted)],
            {**wanted._asdict(), "before_ms": 1 << 62, "before_rid": b"", "count": 1},
        ).fetchall()
    )

    text = " / ".join(step[3] for step in plan)
    assert f"USING INDEX {index} (" in text
    assert "SCAN" not in text


def _matches(made: Facts, wanted: Filter) -> bool:
    pairs = (
        (wanted.key_id, made.key_id),
        (wanted.user_id, made.user_id),
        (wanted.model, made.model),
        (wanted.provider, made.provider),
    )
    within = wanted.since_ms <= made.created_ms < wanted.until_ms
    return within and all(want in (None, found) for want, found in pairs)
