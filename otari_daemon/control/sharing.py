"""A daemon as one of several nodes: it beats, looks what is new, keeps its leases and buries the dead."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from otari_daemon.control.changes import Changes
from otari_daemon.control.leasing import TICK_S, Leasing
from otari_daemon.control.ledger import Ledger
from otari_daemon.domain.book import Balance, BalanceKey
from otari_daemon.domain.money import Nano
from otari_daemon.domain.shared_book import SharedBook, seen, stands
from otari_daemon.store import nodes
from otari_daemon.store.errors import StoreError, StoreUnavailable
from otari_daemon.store.shared_store import SharedStore
from otari_daemon.telemetry.clock import Clock

LOOK_S = 0.1
LOOK_LONGEST_S = 0.5
LOOK_REST = 5
"""Between two looks a node rests so many times as long as one took, within these bounds."""

BEAT_S = 2.0
SWEEP_S = 2.0
STEADY_S = nodes.DEAD_MS / 1000
"""A node declares others dead only when it has itself been well for as long as they were silent."""

PAUSED_S = 3.0
"""A tick that comes so late says that this node stood still."""

REFRESH_S = 2.0
REFRESHED_PER_S = 50_000
"""Balances shown anew in a second, at most."""

LEAVE_S = 5.0

_log = logging.getLogger("otari.nodes")


class Sharing:
    """What a node does besides serving. Belongs to the event loop's thread."""

    def __init__(
        self,
        store: SharedStore,
        book: SharedBook,
        ledger: Ledger,
        changes: Changes,
        clock: Clock,
    ) -> None:
        self.leasing = Leasing(book, ledger, store)
        self.changes = changes
        self._store = store
        self._book = book
        self._ledger = ledger
        self._clock = clock
        self._well_s = time.monotonic()

    async def run(self) -> None:
        """Until cancelled; ends by raising what cannot be gone on from."""
        await asyncio.gather(self._keep(), self._watch(), self._refresh(), self._sweep())

    async def leave(self) -> None:
        """Give everything back and end the epoch; after the last settlement."""
        with contextlib.suppress(StoreError, TimeoutError):  # then others sweep what is left
            self.leasing.give_back_all()
            await self._ledger.ticket().wait(LEAVE_S)
            async with asyncio.timeout(LEAVE_S):
                await self._store.write(nodes.leave, self._store.epoch)

    async def _keep(self) -> None:
        """Tick, and beat: an empty batch marks the node's row like any other."""
        last_s = beat_s = time.monotonic()
        while True:
            await asyncio.sleep(TICK_S)
            now_s = time.monotonic()
            if now_s - last_s > PAUSED_S or not self._store.available:
                self._well_s = now_s
            last_s = now_s
            self.leasing.tick()
            if now_s - beat_s >= BEAT_S and self._store.failure is None:
                beat_s = now_s
                self._store.post((), _nothing)

    async def _watch(self) -> None:
        """See every now and then what other nodes have done."""
        while True:
            began_s = time.monotonic()
            with contextlib.suppress(StoreUnavailable):
                await self._look()
            rest_s = LOOK_REST * (time.monotonic() - began_s)
            await asyncio.sleep(min(max(LOOK_S, rest_s), LOOK_LONGEST_S))

    async def _look(self) -> None:
        before = self._decided()
        news = await self._store.read(nodes.news, self._store.epoch)
        take = stands if before is not None and before == self._decided() else seen
        self.leasing.nodes = news.nodes
        for key, posted, overage, acknowledged, recalls in news.balances:
            lease, balance = self._book.leases.get(key), self._balance(key)
            if balance is not None:
                take(balance, posted, overage, acknowledged)
            if lease is not None:
                self.leasing.recalled(lease, recalls)
        if news.generation != self.changes.known:
            async with self.changes.turn:
                await self.changes.catch_up()

    def _decided(self) -> int | None:
        """How much this node has decided, all of which is on disk; None while some is not."""
        return None if self._store.backlog or self._book.journal else self._store.posted

    def _balance(self, key: BalanceKey) -> Balance | None:
        account = self._book.accounts.get(key.account_id)
        balance = None if account is None else account.balance
        return balance if balance is not None and balance.key == key else None

    async def _refresh(self) -> None:
        """Show what others spent of balances this node does not draw on."""
        while True:
            await asyncio.sleep(REFRESH_S)
            with contextlib.suppress(StoreUnavailable):
                before = self._decided()
                rows = await self._store.read(nodes.latest_balances)
                take = stands if before is not None and before == self._decided() else seen
                held = {each.key for hold in self._book.open_holds.values() for each in hold.bundle.balances}
                for account_id, start_ms, posted, pending, overage, acknowledged in rows:
                    key = BalanceKey(account_id, start_ms)
                    balance = self._balance(key)
                    if balance is None:
                        continue
                    take(balance, posted, overage, acknowledged)
                    if key not in held and key not in self._book.leases:
                        balance.held = Nano(pending)
                await asyncio.sleep(len(rows) / REFRESHED_PER_S)

    async def _sweep(self) -> None:
        """Close what dead nodes left."""
        while True:
            await asyncio.sleep(SWEEP_S)
            if time.monotonic() - self._well_s < STEADY_S:
                continue
            with contextlib.suppress(StoreUnavailable):
                while await self._swept_some():  # each time some of what is finite
                    pass

    async def _swept_some(self) -> bool:
        """Close what fits one transaction; say whether more is left."""
        swept = await self._store.write(nodes.sweep, self._store.epoch, self._clock.now_ms())
        if swept is None:
            return False
        if swept.nodes or swept.holds:
            _log.warning("nodes %s are dead; closed %d holds", swept.nodes, len(swept.holds))
        return not swept.whole


def _nothing() -> None:
    """Nobody waits for a beat."""
