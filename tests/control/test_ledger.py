"""Book and disk together: when nothing is admitted, who is told what is durable, what is noted of streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from otari_daemon.control.ledger import BACKLOG_MAX, BatchTicket, Ledger
from otari_daemon.domain.book import Book, Hold, Refused
from otari_daemon.domain.errors import LedgerUnavailable
from otari_daemon.domain.limits import KEY
from otari_daemon.domain.money import Nano
from otari_daemon.domain.records import Progress, Reason
from otari_daemon.domain.settling import NO_BILL, Bill
from otari_daemon.domain.usage import Usage
from otari_daemon.store import usage
from otari_daemon.store.store import Store
from tests.ledger.support import NOW_MS, budget, facts, open_store, outcome, rid_of

SOON_S = 0.01
WAIT_S = 20.0


class Kept(NamedTuple):
    """A ledger on the running loop, its store, and one account of a thousand nano-USD."""

    ledger: Ledger
    store: Store
    book: Book

    def reserve(self, number: int, amount: int) -> Hold | Refused:
        """Set an amount aside for request `number`."""
        bundle = self.book.bundle((1,), NOW_MS)
        return self.ledger.reserve(rid_of(number), bundle, Nano(amount), facts(number))

    def held(self, number: int, amount: int) -> Hold:
        """The same, and it fits."""
        hold = self.reserve(number, amount)
        assert isinstance(hold, Hold)
        return hold

    async def on_disk(self) -> None:
        """Wait for everything decided so far."""
        assert await self.ledger.ticket().wait(WAIT_S)

    async def progress(self, hold: Hold) -> int:
        """Output tokens that the database knows of an open hold."""
        await self.on_disk()
        row = await self.store.read(usage.one, hold.rid)
        assert row is not None
        return row.progress_out


@asynccontextmanager
async def kept(path: Path) -> AsyncIterator[Kept]:
    store, book = open_store(path / "ledger.db", budget("all", 1_000))
    loop = asyncio.get_running_loop()
    store.start(loop)
    try:
        yield Kept(Ledger(book, store, loop), store, book)
    finally:
        await store.close(WAIT_S)


async def test_a_hold_takes_money_and_a_slot_and_its_end_gives_both_back(tmp_path: Path) -> None:
    async with kept(tmp_path) as the:
        first, second = the.held(0, 300), the.held(5, 400)
        assert (the.ledger.held, the.ledger.meters.slots.of((KEY, "key0"))) == (700, 2)

        closed = the.ledger.settle(first, facts(0), Bill(Usage(input=120), Nano(120)), outcome(120))
        assert (closed, the.ledger.held, the.ledger.meters.slots.of((KEY, "key0"))) == ((120, 0), 400, 1)

        closed = the.ledger.settle(second, facts(5), NO_BILL, outcome(0, Reason.UNSENT))
        assert (closed, the.ledger.held, the.ledger.meters.slots.of((KEY, "key0"))) == ((0, 0), 0, 0)
        await the.on_disk()


async def test_a_refusal_takes_no_slot(tmp_path: Path) -> None:
    async with kept(tmp_path) as the:
        assert isinstance(the.reserve(0, 1_001), Refused)
        assert the.ledger.meters.slots.of((KEY, "key0")) == 0


async def test_what_is_voided_costs_nothing_and_what_exceeds_its_hold_is_overage(tmp_path: Path) -> None:
    async with kept(tmp_path) as the:
        over = the.held(1, 100)
        closed = the.ledger.settle(over, facts(1), Bill(Usage(input=130), Nano(130)), outcome(130))

        assert closed == (100, 30)
        assert the.book.accounts[1].balance is not None
        assert the.book.accounts[1].balance.posted == 100


async def test_decisions_of_one_turn_share_a_ticket_and_the_next_turn_has_another(tmp_path: Path) -> None:
    async with kept(tmp_path) as the:
        the.held(1, 10)
        first = the.ledger.ticket()
        the.held(2, 10)
        assert the.ledger.ticket() is first
        assert not first.durable
        assert await first.wait(WAIT_S)
        assert first.durable
        assert await first.wait(0.0)
        the.held(3, 10)
        assert the.ledger.ticket() is not first
        await the.on_disk()


async def test_a_ticket_that_takes_too_long_says_so_and_may_still_come_true() -> None:
    ticket = BatchTicket()
    hasty = asyncio.create_task(ticket.wait(SOON_S))
    waiting = [asyncio.create_task(ticket.wait(WAIT_S)) for _ in range(3)]
    await asyncio.sleep(0)
    ticket.lose_patience(asyncio.get_running_loop().time() + SOON_S)
    assert not await hasty
    ticket.resolve()

    assert [await task for task in waiting] == [True] * 3


async def test_a_live_streams_count_is_noted_when_it_moves_and_no_longer_once_it_ends(tmp_path: Path) -> None:
    async with kept(tmp_path) as the:
        stream, counts, asked = the.held(1, 100), [1, 7, 7, 9], [0]

        def generated() -> int:
            asked[0] += 1
            return counts[asked[0] - 1]

        await the.on_disk()
        the.ledger.watch(stream, generated)
        seen = []
        for _ in counts:
            the.ledger.checkpoint()
            seen.append(await the.progress(stream))
        assert seen == counts
        the.ledger.settle(stream, facts(1), NO_BILL, outcome(0, Reason.REFUSED))
        the.ledger.checkpoint()
        assert asked == [4], "nobody counts a stream that has ended"
        assert the.ledger._progress == {}, "nor remembers it"
        await the.on_disk()


async def test_an_unmoved_count_is_not_written_again(tmp_path: Path) -> None:
    async with kept(tmp_path) as the:
        the.ledger.watch(the.held(1, 100), lambda: 5)
        await the.on_disk()
        the.ledger.checkpoint()
        assert the.store.backlog == 1
        await the.on_disk()
        the.ledger.checkpoint()
        assert the.store.backlog == 0


async def test_nothing_is_admitted_while_the_disk_is_far_behind(tmp_path: Path) -> None:
    async with kept(tmp_path) as the:
        assert BACKLOG_MAX == 20_000
        assert the.ledger.available
        behind(the, BACKLOG_MAX - 1)
        assert the.ledger.available
        behind(the, 1)
        assert not the.ledger.available
        with pytest.raises(LedgerUnavailable, match="nothing billable is admitted"):
            the.reserve(1, 10)
        assert the.ledger.meters.slots.of((KEY, "key1")) == 0


def behind(the: Kept, entries: int) -> None:
    """Post so many entries at once: the loop has no turn in which to hear that they were committed."""
    posted = [*the.book.take_journal(), *(Progress(rid_of(number, 9), 1) for number in range(entries))]
    the.store.post(posted, lambda: None)
