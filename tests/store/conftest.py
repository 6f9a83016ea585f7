"""A started store in a temporary directory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from otari_daemon.domain.book import Book
from otari_daemon.store.store import Store
from tests.engines import database_url
from tests.ledger.support import budget, open_store

__all__ = ["database_url", "served", "store"]


@pytest.fixture
async def served(database_url: str) -> AsyncIterator[tuple[Store, Book]]:
    """A running store and its book, with one budget for everybody."""
    store, book = open_store(database_url, budget("all", 10_000))
    store.start(asyncio.get_running_loop())
    yield store, book
    await store.close(5)


@pytest.fixture
def store(served: tuple[Store, Book]) -> Store:
    """The running store alone."""
    return served[0]
