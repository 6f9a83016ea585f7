"""Waiting for a store to say that it can, or cannot, be written."""

from __future__ import annotations

import asyncio

from otari_daemon.store.store import Store
from tests.ledger.support import WAIT_S


class Watch:
    """Waits for a store's availability to change."""

    def __init__(self, store: Store) -> None:
        self._changed = asyncio.Event()
        store.on_availability(lambda _: self._changed.set())
        self._store = store

    async def until(self, *, available: bool) -> None:
        """Return once the store says so."""
        async with asyncio.timeout(WAIT_S):
            while self._store.available != available:
                await self._changed.wait()
                self._changed.clear()
