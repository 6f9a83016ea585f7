"""The books proven again and again while they are written."""

from __future__ import annotations

import asyncio
import logging
import time

from otari_daemon.store.audit import Walk
from otari_daemon.store.errors import LedgerCorrupt, StoreUnavailable
from otari_daemon.store.store import Store
from otari_daemon.store.verify import prove

_log = logging.getLogger("otari.ledger")


class Auditor:
    """Walks the ledger, one slice a step, over and over; `proven` counts the walks that found nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._walk = Walk()
        self.proven = 0
        self._proven_s: float | None = None

    @property
    def proven_s_ago(self) -> float | None:
        """How long ago the last clean walk ended; None before."""
        return None if self._proven_s is None else time.monotonic() - self._proven_s

    async def run(self, pause_s: float) -> None:
        """Step for ever; ends by raising LedgerCorrupt when the books are wrong."""
        while True:
            await asyncio.sleep(pause_s)
            await self.step()

    async def step(self) -> None:
        """Read one slice. Raises LedgerCorrupt when something is wrong that the whole proof confirms."""
        try:
            findings = await self._store.read(self._walk.step)
            if findings:
                _log.warning("the auditor suspects %s: %s", findings[0].row, findings[0].detail)
                await self._confirm()
        except Exception as error:
            verdict = self._store.judged(error)
            if isinstance(verdict, StoreUnavailable):  # a busy disk: this walk may have missed rows
                self._walk = Walk()
                return
            raise verdict from error
        if self._walk.done and not findings:
            self.proven += 1
            self._proven_s = time.monotonic()
        if self._walk.done or findings:
            self._walk = Walk()

    async def _confirm(self) -> None:
        report = await self._store.read(prove)
        if report.findings:
            found = report.findings[0]
            raise LedgerCorrupt(f"the ledger contradicts itself: {found.row}: {found.detail}")
