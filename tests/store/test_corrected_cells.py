"""Cells with corrections, every class of tokens, and settlements that share a batch with a rebuild."""

from __future__ import annotations

import asyncio
import threading

import pytest

from otari_daemon.domain.book import Book, Correction, Drawn, Hold
from otari_daemon.domain.grains import Grain, start_of
from otari_daemon.domain.money import Nano
from otari_daemon.domain.records import Outcome, Reason
from otari_daemon.domain.usage import Usage
from otari_daemon.store import adjustments, rebuild, usage
from otari_daemon.store.cells import Series
from otari_daemon.store.reports import Group, Question, gather
from otari_daemon.store.store import Store
from otari_daemon.store.verify import verify
from tests.ledger.support import NOW_MS, WAIT_S, commit, facts, rid_of

Served = tuple[Store, Book]
TAGS = "team=a"
EVERYTHING = (0, usage.END_MS)
PART_OF_AN_HOUR = (NOW_MS, NOW_MS + 1)


def _settled(book: Book, number: int, cost: int, used: Usage) -> bytes:
    """The rid of a tagged request, opened and settled in the journal."""
    made = facts(number)._replace(created_ms=NOW_MS, tags=TAGS)
    hold = book.reserve(rid_of(number), book.bundle((1,), NOW_MS), Nano(cost), made)
    assert isinstance(hold, Hold)
    book.settle(hold, Nano(cost), Outcome(Reason.ESTIMATED, NOW_MS, used, 200))
    return hold.rid


async def _corrected(store: Store, book: Book, rid: bytes, amount: int) -> None:
    """Put a correction of a request on disk."""
    stands = (await store.read(adjustments.standing, [rid]))[rid]
    drawn = tuple(Drawn(book.balance(leg.balance.key) or leg.balance, *leg[1:]) for leg in stands.legs)
    book.adjust(Correction(rid, "test", str(amount), amount, NOW_MS), drawn)
    await commit(store, book.take_journal())


def _by_tags(series: Series) -> Group:
    return (series.tags,)


async def _sums(store: Store, span_ms: tuple[int, int]) -> dict[str, tuple[int, int]]:
    """Requests and cost by tags."""
    found = await store.read(gather, Question(*span_ms, _by_tags, tagged=True))
    return {tags: (sums.counts.requests, sums.counts.cost) for (_, (tags,)), sums in found.items()}


@pytest.mark.parametrize("span_ms", [EVERYTHING, PART_OF_AN_HOUR])
async def test_sums_are_net_of_corrections_and_proven_with_them(
    served: Served, span_ms: tuple[int, int]
) -> None:
    store, book = served
    rids = [_settled(book, number, 100, Usage(input=1)) for number in range(3)]
    await commit(store, book.take_journal())

    await _corrected(store, book, rids[0], -60)
    await _corrected(store, book, rids[0], -7)
    await _corrected(store, book, rids[1], 25)

    assert await _sums(store, span_ms) == {TAGS: (3, 300 - 60 - 7 + 25)}
    assert (await store.read(verify)).clean
    assert await store.rebuild_usage()
    assert await _sums(store, span_ms) == {TAGS: (3, 258)}
    assert (await store.read(verify)).clean


async def test_a_correction_while_the_disk_is_short_leaves_the_cells_to_be_built_anew(
    served: Served,
) -> None:
    store, book = served
    rid = _settled(book, 1, 100, Usage(input=1))
    await commit(store, book.take_journal())
    assert store._writer is not None
    store._writer.frugal = True
    await _corrected(store, book, rid, -100)
    store._writer.frugal = False

    assert await store.usage_cells_stale()
    assert await store.rebuild_usage()

    assert await _sums(store, EVERYTHING) == {TAGS: (1, 0)}
    assert (await store.read(verify)).clean


async def test_a_cell_whose_correction_is_lost_is_named(served: Served) -> None:
    store, book = served
    rid = _settled(book, 1, 100, Usage(input=1))
    await commit(store, book.take_journal())
    await _corrected(store, book, rid, -30)

    await store.write(lambda con: con.execute("UPDATE usage_cell SET cost_n = 100 WHERE grain = 1") and None)

    (finding,) = (await store.read(verify)).findings
    assert (finding.rule, "70" in finding.detail) == ("cell", True)


async def test_every_class_of_tokens_is_in_the_sums(served: Served) -> None:
    store, book = served
    used = Usage(*range(1, 16))
    _settled(book, 1, 100, used)
    await commit(store, book.take_journal())

    for span_ms in (EVERYTHING, PART_OF_AN_HOUR):
        (sums,) = (await store.read(gather, Question(*span_ms, _by_tags))).values()
        tokens = sums.counts.tokens
        assert (tokens.input_tokens, tokens.output_tokens) == (used.input_tokens, used.output_tokens)
        assert tokens == used._replace(images=0, requests=0, tool_calls=0, seconds=0, characters=0)


async def test_what_settles_in_the_batch_that_builds_its_hour_anew_is_counted_once(served: Served) -> None:
    """Posts and the step between them are queued behind a write that waits, so that they share a commit."""
    store, book = served
    plan = await store.write(rebuild.begin)
    gate = threading.Event()
    waiting = asyncio.create_task(store.write(lambda con: gate.wait(WAIT_S) and None))
    _settled(book, 1, 100, Usage(input=1))
    first = asyncio.create_task(commit(store, book.take_journal()))
    built = asyncio.create_task(store.write(rebuild.build, Grain.HOUR, start_of(Grain.HOUR, NOW_MS)))
    await asyncio.sleep(0)
    _settled(book, 2, 50, Usage(input=1))
    second = asyncio.create_task(commit(store, book.take_journal()))
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(waiting, first, built, second)

    assert await store.write(rebuild.finish, plan.seen)
    assert await _sums(store, EVERYTHING) == {TAGS: (2, 150)}
    assert (await store.read(verify)).clean
