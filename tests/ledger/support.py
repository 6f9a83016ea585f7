"""A small world for ledger tests: one price, a few accounts, requests with numbered ids."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import psycopg2

from otari_daemon.domain.book import Book, Bundle, Entry, Hold
from otari_daemon.domain.budgets import EVERYBODY, Budget, Holder, HolderKind, account_of
from otari_daemon.domain.money import Nano
from otari_daemon.domain.pricing import Price, Rates, charge
from otari_daemon.domain.records import Facts, Outcome, Progress, Reason
from otari_daemon.domain.usage import Usage
from otari_daemon.domain.windows import Lifetime, Window
from otari_daemon.store import budgets
from otari_daemon.store.database import Connection
from otari_daemon.store.store import Store

INTEGRITY = (sqlite3.IntegrityError, psycopg2.IntegrityError)
"""What a constraint of the database is refused with, by either engine."""

NOW_MS = 1_750_000_000_000
WAIT_S = 20.0
TIER = Price("mock:echo", Rates.of(input=5_000, output=1_000), 0, "test", above_tokens=200)
PRICE = Price("mock:echo", Rates.of(input=1_000, output=2_000), 0, "test", tiers=(TIER,))
FREE = Price("mock:free", Rates.of(), 0, "test")


def rid_of(number: int, epoch: int = 0) -> bytes:
    """A time-ordered request id of 16 bytes."""
    return NOW_MS.to_bytes(6, "big") + epoch.to_bytes(4, "big") + number.to_bytes(6, "big")


def facts(number: int = 0, price: Price = PRICE, prompt: int = 10) -> Facts:
    """What is known about request `number` when it is admitted."""
    return Facts(
        f"key{number % 5}",
        f"user{number % 3}",
        NOW_MS + number,
        "chat",
        price.model,
        "mock",
        number % 2 == 0,
        price,
        prompt,
    )


def outcome(amount: int, reason: Reason = Reason.USAGE, price: Price = PRICE) -> Outcome:
    """An end whose usage costs exactly `amount` nano-USD at `PRICE`, or at its tier."""
    usage = Usage(input=amount) if price is PRICE else Usage(output=amount)
    assert charge(usage, price.rates) == amount
    tier = None if price is PRICE else price
    return Outcome(reason, NOW_MS + 60_000, usage, 200, 300_000, 900_000, tier)


def budget(name: str, limit: int | None, window: Window | None = None, *, enforced: bool = True) -> Budget:
    """A budget of that id and name."""
    amount = None if limit is None else Nano(limit)
    return Budget(name, name, amount, window or Lifetime(), NOW_MS, enforced)


def add_budgets(con: Connection, *made: Budget) -> None:
    """Put budgets in the database, budget n assigned with account n, counted from 1."""
    for number, each in enumerate(made, 1):
        budgets.insert(con, each)
        holder = EVERYBODY if number == 1 else Holder(HolderKind.KEY, f"key{number}")
        budgets.assign(con, each.id, holder, number, NOW_MS)


def url_of(place: Path | str) -> str:
    """The database URL of a file; one that is a URL already is left as it is."""
    return place if isinstance(place, str) and "://" in place else f"sqlite:///{place}"


def open_store(place: Path | str, *made: Budget) -> tuple[Store, Book]:
    """Open a store with these budgets, begun and recovered, and its book."""
    store = Store.open(url_of(place), now_ms=NOW_MS, spare_bytes=0)
    if made:
        store.write_now(add_budgets, *made)
    epoch = store.begin_epoch()
    store.recover(epoch, NOW_MS)
    return store, store.load_book(epoch)


def book_of(*made: Budget) -> Book:
    """A book without a database."""
    book = Book(first_bundle_id=(1 << 32) | 1)
    for number, each in enumerate(made, 1):
        book.accounts[number] = account_of(each, number)
    return book


def reserve(book: Book, bundle: Bundle, number: int, amount: int, epoch: int = 0) -> Hold:
    """Reserve for request `number`; it must be admitted."""
    hold = book.reserve(rid_of(number, epoch), bundle, Nano(amount), facts(number))
    assert isinstance(hold, Hold), hold
    return hold


async def commit(store: Store, entries: Sequence[Entry | Progress]) -> None:
    """Post entries and wait until they are on disk."""
    done = asyncio.Event()
    store.post(entries, done.set)
    await asyncio.wait_for(done.wait(), WAIT_S)
