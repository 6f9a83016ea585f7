"""Refusals on their way to the database: noted at once, written in batches, never waited for."""

from __future__ import annotations

import asyncio

from otari_daemon.store import refusals, watched
from otari_daemon.store.database import Connection
from otari_daemon.store.errors import StoreError
from otari_daemon.store.refusals import Refusal
from otari_daemon.store.store import Store
from otari_daemon.store.watched import Watched

PENDING_MAX = 1_000
"""Refusals kept between two writes; a flood beyond it is counted, not kept."""

TEXT_CHARS_MAX = 500
"""Of what a caller may have made long: a model's name, a message that quotes it."""


class RefusalLog:
    """What was refused and not written yet. `dropped` counts what never will be."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pending: list[Refusal] = []
        self._counted: dict[tuple[int, int], Watched] = {}
        self._writing = asyncio.Lock()
        self.dropped = 0

    def add(self, refusal: Refusal) -> None:
        """Note a refusal; costs an append."""
        if len(self._pending) >= PENDING_MAX:
            self.dropped += 1
            return
        self._pending.append(refusal)

    def count(self, would: Watched) -> None:
        """Add to what a balance would have refused; one entry for each, so a flood of it costs no memory."""
        balance = would[:2]
        known = self._counted.get(balance)
        self._counted[balance] = would._replace(times=would.times + known.times) if known else would

    async def flush(self) -> None:
        """Write what was noted before this call; drop it if the ledger cannot be written now."""
        async with self._writing:
            batch, self._pending = self._pending, []
            counted, self._counted = list(self._counted.values()), {}
            if not batch and not counted:
                return
            try:
                await self._store.write(_add, [_bounded(each) for each in batch], counted)
            except StoreError:
                self.dropped += len(batch)


def _add(con: Connection, refused: list[Refusal], counted: list[Watched]) -> None:
    if refused:
        refusals.add(con, refused)
    watched.add(con, counted)


def _bounded(refusal: Refusal) -> Refusal:
    model = refusal.model and refusal.model[:TEXT_CHARS_MAX]
    return refusal._replace(detail=refusal.detail[:TEXT_CHARS_MAX], model=model)
