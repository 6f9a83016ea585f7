"""Usage added up from cells: equal to the rows at every boundary, rebuilt after need, and never by a scan."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from otari_daemon.domain.book import Book, Hold
from otari_daemon.domain.grains import DAY_MS, HOUR_MS, Grain, cover, end_of, start_of
from otari_daemon.domain.money import Nano
from otari_daemon.domain.records import Facts, Outcome, Reason
from otari_daemon.domain.usage import Usage
from otari_daemon.store import rebuild, sql_usage, usage
from otari_daemon.store.cells import Series
from otari_daemon.store.database import Session
from otari_daemon.store.reports import Question, gather
from otari_daemon.store.store import Store
from otari_daemon.store.verify import verify
from tests.ledger.support import NOW_MS, budget, commit, facts, open_store, reserve, rid_of

Served = tuple[Store, Book]
REQUESTS = 60
STEP_MS = 11 * HOUR_MS + 1_234_567
TAGS = ("", "team=a", "pr=1\nteam=b")


def _facts(number: int) -> Facts:
    return facts(number)._replace(created_ms=NOW_MS + number * STEP_MS, tags=TAGS[number % 3])


@pytest.fixture
async def worked(served: Served) -> Store:
    """Sixty requests over four weeks by five keys, a third of them without tags, every seventh an error."""
    store, book = served
    bundle = book.bundle((1,), NOW_MS)
    for number in range(REQUESTS):
        made = _facts(number)
        hold = book.reserve(rid_of(number), bundle, Nano(100), made)
        assert isinstance(hold, Hold)
        status = 502 if number % 7 == 0 else 200
        used = Outcome(Reason.ESTIMATED, made.created_ms + 9, Usage(input=number, output=1), status, 1, 1000)
        book.settle(hold, Nano(number), used)
        if number % 4 == 0:
            await commit(store, book.take_journal())
    await commit(store, book.take_journal())
    return store


def _team(series: Series) -> tuple[str, ...]:
    return (dict(each.split("=") for each in series.tags.split("\n") if each).get("team", ""),)


@pytest.mark.parametrize("since_ms", [0, NOW_MS + 1, NOW_MS + 5 * DAY_MS, NOW_MS + STEP_MS * 20])
@pytest.mark.parametrize("until_ms", [usage.END_MS, NOW_MS + STEP_MS * 33, NOW_MS + 20 * DAY_MS + 77])
@pytest.mark.parametrize("every", [None, *Grain])
async def test_sums_are_those_of_the_rows_between_any_two_moments(
    worked: Store, since_ms: int, until_ms: int, every: Grain | None
) -> None:
    found = await worked.read(gather, Question(since_ms, until_ms, _team, every, tagged=True))

    expected: dict[tuple[int, tuple[str, ...]], list[int]] = {}
    for number in range(REQUESTS):
        made = _facts(number)
        if since_ms <= made.created_ms < until_ms:
            bucket = 0 if every is None else start_of(every, made.created_ms)
            sums = expected.setdefault((bucket, (("", "a", "b")[number % 3],)), [0, 0, 0])
            sums[:] = sums[0] + 1, sums[1] + number, sums[2] + (number % 7 == 0)
    assert {
        key: [sums.counts.requests, sums.counts.cost, sums.errors] for key, sums in found.items()
    } == expected


async def test_books_with_cells_are_proven_and_a_cell_that_is_off_is_named(
    worked: Store,
) -> None:
    assert (await worked.read(verify)).clean

    await worked.write(
        lambda con: con.execute("UPDATE usage_cell SET cost_n = cost_n + 1 WHERE grain = 3").rowcount
    )

    findings = (await worked.read(verify)).findings
    assert findings
    assert {(finding.rule, finding.row.split()[:2] == ["usage", "month"]) for finding in findings} == {
        ("cell", True)
    }
    assert await worked.rebuild_usage()
    assert (await worked.read(verify)).clean


async def test_what_settles_while_the_disk_is_short_is_counted_when_the_cells_are_built_anew(
    served: Served,
) -> None:
    store, book = served
    bundle = book.bundle((1,), NOW_MS)
    holds = [reserve(book, bundle, number, 100) for number in range(3)]
    await commit(store, book.take_journal())
    assert store._writer is not None
    store._writer.frugal = True
    for hold in holds:
        book.settle(hold, Nano(5), Outcome(Reason.ESTIMATED, NOW_MS, Usage(input=5), 200))
    await commit(store, book.take_journal())
    store._writer.frugal = False

    assert await store.usage_cells_stale()
    assert (await store.read(verify)).clean
    assert await store.rebuild_usage()

    assert not await store.usage_cells_stale()
    found = await store.read(gather, Question(0, usage.END_MS, lambda _: ()))
    assert [(sums.counts.requests, sums.counts.cost) for sums in found.values()] == [(3, 15)]
    assert (await store.read(verify)).clean


async def test_a_request_that_a_crash_ended_is_counted_by_the_next_daemon(tmp_path: Path) -> None:
    store, book = open_store(tmp_path / "otari.db", budget("all", 10_000))
    store.start(asyncio.get_running_loop())
    reserve(book, book.bundle((1,), NOW_MS), 1, 1_000)
    await commit(store, book.take_journal())
    assert await store.close(5)

    later, _ = open_store(tmp_path / "otari.db")

    found = later.read_now(gather, Question(0, usage.END_MS, lambda series: (series.key_id,)))
    assert [(key, sums.counts.requests, sums.errors) for key, sums in found.items()] == [
        ((0, ("key1",)), 1, 1)
    ]
    assert later.read_now(verify).clean
    later.close_now()


@pytest.mark.parametrize("how", ["whole", "each"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_report_reads_cells_along_their_key_and_rows_along_their_time(
    worked: Store, how: str
) -> None:
    def plan(session: Session, statement: str, values: tuple[int, ...]) -> str:
        return " / ".join(step[3] for step in session.con.execute("EXPLAIN QUERY PLAN " + statement, values))

    cells = await worked.read(plan, sql_usage.CELLS[how], (1, 0, 1))
    rows = await worked.read(plan, sql_usage.ROWS_AS_CELLS, (0, 1))
    corrections = await worked.read(plan, sql_usage.CORRECTIONS_AS_CELLS, (0, 1))

    assert "SEARCH usage_cell USING PRIMARY KEY (grain=? AND start_ms>? AND start_ms<?)" in cells
    assert "SEARCH hold USING INDEX hold_created (created_ms>? AND created_ms<?)" in rows
    assert "USING INDEX hold_created" in corrections
    assert "SEARCH a USING PRIMARY KEY (rid=?)" in corrections
    assert "SCAN" not in cells + rows + corrections


@pytest.mark.parametrize("coarsest", list(Grain))
@pytest.mark.parametrize("since_ms", [NOW_MS, start_of(Grain.MONTH, NOW_MS), NOW_MS + 3 * DAY_MS + 1])
@pytest.mark.parametrize("length_ms", [1, HOUR_MS, 40 * HOUR_MS, 100 * DAY_MS, 100 * DAY_MS + 7])
def test_a_span_is_covered_once_without_a_gap(coarsest: Grain, since_ms: int, length_ms: int) -> None:
    spans = list(cover(since_ms, since_ms + length_ms, coarsest))

    assert [span.start_ms for span in spans] == [since_ms, *(span.end_ms for span in spans[:-1])]
    assert spans[-1].end_ms == since_ms + length_ms
    for span in spans:
        if span.grain is not None:
            assert start_of(span.grain, span.start_ms) == span.start_ms
            assert end_of(span.grain, span.end_ms - 1) == span.end_ms
        else:
            assert span.end_ms - span.start_ms < HOUR_MS


def test_rebuilding_goes_through_every_bucket_once_and_the_longer_ones_last() -> None:
    plan = rebuild.Plan(start_of(Grain.MONTH, NOW_MS), end_of(Grain.MONTH, NOW_MS), 0)

    steps = list(rebuild.steps(plan))

    assert len(steps) == len(set(steps)) == 30 * 24 + 30 + 1
    assert steps[23:25] == [(Grain.HOUR, plan.start_ms + 23 * HOUR_MS), (Grain.DAY, plan.start_ms)]
    assert steps[-1] == (Grain.MONTH, plan.start_ms)
