"""How fast the books are kept: Book and Store together, SQLite at synchronous=FULL.

    python bench/ledger.py [directory]

Prints pairs of reserve and settle per second at saturation, microseconds of CPU per pair on the event loop
and on the writer thread, and how long a post waits for its commit at 500 requests a second.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import threading
import time
from pathlib import Path

from otari_daemon.domain.book import Book, Bundle, Entry, Hold
from otari_daemon.domain.money import Nano
from otari_daemon.store.database import Connection
from otari_daemon.store.store import Store
from otari_daemon.store.verify import verify
from tests.ledger.support import NOW_MS, budget, facts, open_store, outcome, rid_of

PAIRS = 20_000
IN_FLIGHT = 256
RATE = 500
SECONDS = 6


async def main(directory: Path) -> None:
    """Run all measurements in a database of its own."""
    limit = 10**15
    store, book = open_store(directory / "bench.db", *(budget(f"b{n}", limit) for n in range(3)))
    store.start(asyncio.get_running_loop())
    bundle = book.bundle((1, 2, 3), NOW_MS)
    await apart(store, book, bundle)
    await saturated(store, book, bundle)
    await paced(store, book, bundle)
    report = await store.read(verify)
    print(f"verify: {report.holds} holds, {'clean' if report.clean else report.findings[:3]}")
    await store.close(10)


async def apart(store: Store, book: Book, bundle: Bundle) -> None:
    """Reserve and settle in separate commits of 512: one insert and one update for each request."""
    before_s = await writer_cpu_s(store)
    spent_s = 0.0
    for start in range(0, PAIRS, 512):
        begun = time.thread_time()
        holds = [hold_of(book, bundle, start + n) for n in range(512)]
        entries = book.take_journal()
        spent_s += time.thread_time() - begun
        await posted(store, entries)
        begun = time.thread_time()
        for hold in holds:
            book.settle(hold, Nano(60), outcome(60))
        entries = book.take_journal()
        spent_s += time.thread_time() - begun
        await posted(store, entries)
    pairs = -(-PAIRS // 512) * 512
    writer_us = (await writer_cpu_s(store) - before_s) / pairs * 1e6
    print(f"apart: writer {writer_us:.1f} us a pair (insert + update), book {spent_s / pairs * 1e6:.1f} us")


async def saturated(store: Store, book: Book, bundle: Bundle) -> None:
    """Many requests at once, each reserving, waiting, settling, waiting."""
    numbers = iter(range(10**6, 10**6 + PAIRS))
    before_s, loop_s, begun = await writer_cpu_s(store), time.thread_time(), time.perf_counter()

    async def worker() -> None:
        for number in numbers:
            hold = hold_of(book, bundle, number)
            await posted(store, book.take_journal())
            book.settle(hold, Nano(60), outcome(60))
            await posted(store, book.take_journal())

    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    took = time.perf_counter() - begun
    loop_us = (time.thread_time() - loop_s) / PAIRS * 1e6
    writer_us = (await writer_cpu_s(store) - before_s) / PAIRS * 1e6
    print(f"saturated: {PAIRS / took:,.0f} pairs/s, loop {loop_us:.1f} us, writer {writer_us:.1f} us a pair")


async def paced(store: Store, book: Book, bundle: Bundle) -> None:
    """500 requests a second; what a post waits for its commit."""
    loop, waits = asyncio.get_running_loop(), list[float]()
    before_s, begun = await writer_cpu_s(store), loop.time()

    async def one(number: int) -> None:
        hold = hold_of(book, bundle, number)
        await timed()
        book.settle(hold, Nano(60), outcome(60))
        await timed()

    async def timed() -> None:
        asked = time.perf_counter()
        await posted(store, book.take_journal())
        waits.append((time.perf_counter() - asked) * 1e3)

    async with asyncio.TaskGroup() as tasks:
        for n in range(RATE * SECONDS):
            await asyncio.sleep(max(0.0, begun + n / RATE - loop.time()))
            tasks.create_task(one(2 * 10**6 + n))
    writer_us = (await writer_cpu_s(store) - before_s) / (RATE * SECONDS) * 1e6
    waits.sort()
    p50, p99 = waits[len(waits) // 2], waits[len(waits) * 99 // 100]
    print(f"paced {RATE}/s: post to done p50 {p50:.2f}, p99 {p99:.2f} ms; writer {writer_us:.0f} us a pair")


def hold_of(book: Book, bundle: Bundle, number: int) -> Hold:
    """Admit request `number`."""
    hold = book.reserve(rid_of(number), bundle, Nano(100), facts(number))
    assert isinstance(hold, Hold)
    return hold


async def posted(store: Store, entries: list[Entry]) -> None:
    """Post and wait for the commit."""
    done = asyncio.get_running_loop().create_future()
    store.post(entries, lambda: done.set_result(None))
    await done


async def writer_cpu_s(store: Store) -> float:
    """CPU seconds the writer thread has used."""

    def used(_: Connection) -> float:
        assert threading.current_thread().name == "otari-ledger"
        return time.thread_time()

    return await store.write(used)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as made:
        asyncio.run(main(Path(made)))
