"""A started store in a temporary directory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from otari_daemon.domain.book import Book
from otari_daemon.store.store import Store
from tests.ledger.support import budget, open_store


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[Store, Book]]:
    """A running store and its book, with one budget for everybody."""
    store, book = open_store(tmp_path / "otari.db", budget("all", 10_000))
    store.start(asyncio.get_running_loop())
    yield store, book
    await store.close(5)


@pytest.fixture
def store(served: tuple[Store, Book]) -> Store:
    """The running store alone."""
    return served[0]
