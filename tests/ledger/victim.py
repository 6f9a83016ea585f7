"""A daemon's ledger without the daemon: works until it is killed, and says what was reported durable.

    python -m tests.ledger.victim DATABASE SEED

Prints `held RID` and `settled RID AMOUNT`, each only after its commit was reported.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path

from otari_daemon.domain.book import Book, Hold
from otari_daemon.domain.money import Nano
from otari_daemon.store.store import Store
from tests.ledger.support import NOW_MS, budget, commit, facts, open_store, outcome, rid_of

WORKERS = 24


def opened(path: Path) -> tuple[Store, Book]:
    """The store, with two budgets if it is new."""
    budgets = () if path.exists() else (budget("all", 10**12), budget("some", 10**11))
    return open_store(path, *budgets)


async def main(store: Store, book: Book, seed: int) -> None:
    """Serve made-up requests for ever."""
    store.start(asyncio.get_running_loop())
    bundle = book.bundle((1, 2), NOW_MS)
    epoch = book.first_bundle_id >> 32
    rng = random.Random(seed)

    async def work(number: int) -> None:
        while True:  # until killed
            number += WORKERS
            amount = Nano(rng.randint(0, 1_000))
            hold = book.reserve(rid_of(number, epoch), bundle, amount, facts(number))
            assert isinstance(hold, Hold)
            await _commit(store, book, f"held {hold.rid.hex()}")
            actual = rng.randint(0, amount)
            book.settle(hold, Nano(actual), outcome(actual))
            await _commit(store, book, f"settled {hold.rid.hex()} {actual}")

    await asyncio.gather(*(work(number) for number in range(WORKERS)))


async def _commit(store: Store, book: Book, line: str) -> None:
    await commit(store, book.take_journal())
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    asyncio.run(main(*opened(Path(sys.argv[1])), int(sys.argv[2])))
