"""The daemon as it is now: its state, its open holds, the proof of its books, what just happened."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import islice
from typing import cast
from urllib.parse import urlsplit

from otari_daemon import __version__
from otari_daemon.control.actor import Actor
from otari_daemon.control.catalog import Catalog
from otari_daemon.control.notes import Note, Settled
from otari_daemon.control.notes import Refused as RefusedNote
from otari_daemon.control.operations.ceilings import Ceilings, drawn_on, holder_text
from otari_daemon.control.operations.desk import Desk, audit
from otari_daemon.control.operations.limits import busiest
from otari_daemon.control.operations.usage import row_of, usage_row
from otari_daemon.domain.book import Hold
from otari_daemon.domain.errors import InvalidField, Overloaded
from otari_daemon.domain.money import format_usd
from otari_daemon.domain.records import request_id_of
from otari_daemon.protocol.messages import (
    Event,
    Finding,
    HoldInfo,
    ProviderInfo,
    Refusal,
    Status,
    VerifyReport,
)
from otari_daemon.protocol.paths import PROTOCOL_VERSION
from otari_daemon.providers.upstream import Upstream
from otari_daemon.store import usage
from otari_daemon.store.usage import Row
from otari_daemon.store.verify import verify
from otari_daemon.telemetry.activity import Activity, Numbered, TooManyWatchers
from otari_daemon.telemetry.clock import rfc3339

HOLDS_MAX = 1_000
HOLDS_WAIT_S = 1.0
"""How long the list of holds waits for the newest of them to reach the disk, where their facts are."""

BOOT_BYTES = 6
_CURSOR = re.compile(r"([0-9a-f]{12})-([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class DaemonFacts:
    """What a daemon knows of itself. `database` shows no password; `started_ns` is monotonic."""

    started_ns: int
    config_digest: str
    config_source: str | None
    listen: str
    admin_socket: str
    database: str
    generation: int = 1
    version: str = __version__
    pid: int = field(default_factory=os.getpid)


class Live:
    """Questions about this moment, and the end of it."""

    def __init__(
        self,
        desk: Desk,
        activity: Activity[Note],
        catalog: Callable[[], Catalog],
        facts: DaemonFacts,
        stop: Callable[[], None],
    ) -> None:
        self._desk = desk
        self._activity = activity
        self._catalog = catalog
        self._facts = facts
        self._stop = stop
        self._boot = desk.entropy(BOOT_BYTES).hex()

    async def status(self) -> Status:
        """How the daemon is."""
        facts, ledger = self._facts, self._desk.ledger
        upstreams = self._catalog().upstreams.values()
        in_flight = len(ledger.book.open_holds)
        return Status(
            facts.version,
            PROTOCOL_VERSION,
            facts.pid,
            (self._desk.clock.monotonic_ns() - facts.started_ns) / 1e9,
            facts.generation,
            facts.config_digest,
            facts.config_source,
            facts.listen,
            facts.admin_socket,
            facts.database,
            ledger.available,
            self._desk.backlog,
            in_flight,
            in_flight,
            format_usd(ledger.held),
            self._activity.count,
            tuple(map(_provider, upstreams)),
            any(upstream.mock for upstream in upstreams),
            ledger.hold_leaks,
            ledger.auditor.proven,
            ledger.auditor.proven_s_ago,
            busiest(ledger.meters.slots, self._desk.seats.name_of),
        )

    async def holds(self) -> list[HoldInfo]:
        """What is held now, oldest first, at most `HOLDS_MAX`."""
        ledger = self._desk.ledger
        oldest = list(islice(ledger.book.open_holds.values(), HOLDS_MAX))
        if oldest and ledger.available:
            await ledger.ticket().wait(HOLDS_WAIT_S)
        known = {row.rid: row for row in await self._desk.read(usage.open_holds)}
        drawn = self._desk.ceilings
        return [self._hold(hold, known.get(hold.rid), drawn) for hold in oldest if hold.open]

    async def verify(self) -> VerifyReport:
        """Prove the books from the database alone."""
        began_ns = self._desk.clock.monotonic_ns()
        report = await self._desk.read(verify)
        took_ms = (self._desk.clock.monotonic_ns() - began_ns) // 1_000_000
        findings = tuple(Finding(each.row, each.rule, each.detail) for each in report.findings)
        return VerifyReport(
            report.clean, report.holds, report.balances, took_ms, findings, report.adjustments
        )

    def events(self, after: str | None) -> AsyncIterator[Event]:
        """What happens from now on, or after a cursor; after one of another boot, all that is remembered."""
        return self._follow(None if after is None else self._number(after))

    async def shutdown(self, actor: Actor) -> None:
        """Begin to stop."""
        audit("shutdown", "daemon", actor)
        self._stop()

    def _number(self, cursor: str) -> int:
        match = _CURSOR.fullmatch(cursor)
        if match is None:
            raise InvalidField("after is not a cursor of this daemon's events", param="after")
        return int(match[2]) if match[1] == self._boot else 0

    async def _follow(self, after: int | None) -> AsyncIterator[Event]:
        notes = cast("AsyncGenerator[Numbered[Note], None]", self._activity.follow(after))
        try:
            async with aclosing(notes):
                async for number, note in notes:
                    yield self._event(f"{self._boot}-{number}", note)
        except TooManyWatchers as error:
            raise Overloaded("too many are following events; retry") from error

    def _event(self, cursor: str, note: Note) -> Event:
        if isinstance(note, Settled):
            row = usage_row(row_of(note), note.request_id, note.key_name or None)
            return Event(cursor, "request", row=row)
        return Event(cursor, "refusal", refusal=_refusal(note))

    def _hold(self, hold: Hold, row: Row | None, ceilings: Ceilings) -> HoldInfo:
        """An open hold. Its request's facts are unknown only while they cannot reach the disk."""
        name_of, now_ms = self._desk.seats.name_of, self._desk.clock.now_ms()
        return HoldInfo(
            request_id_of(hold.rid),
            max(0, now_ms - int.from_bytes(hold.rid[:6])),
            format_usd(hold.amount),
            row.key_id if row else None,
            (name_of(row.key_id) or None) if row else None,
            row.model if row else "",
            self._under(hold, row, ceilings),
            row.stream if row else False,
            row.progress_out if row else 0,
        )

    def _under(self, hold: Hold, row: Row | None, ceilings: Ceilings) -> tuple[str, ...]:
        if row is None:
            return tuple(account.name for account in hold.bundle.accounts)
        under = {account.id for account in hold.bundle.accounts}
        drawn = ceilings.of_holders(*drawn_on(row.key_id, row.user_id))
        holders = (each.holder for each in drawn if each.account_id in under)
        return tuple(dict.fromkeys(holder_text(each, self._desk.seats.name_of) for each in holders))


def _provider(upstream: Upstream) -> ProviderInfo:
    shown = None if upstream.mock else _without_userinfo(upstream.place.base_url)
    return ProviderInfo(upstream.name, upstream.type, shown, upstream.mock)


def _without_userinfo(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def _refusal(note: RefusedNote) -> Refusal:
    return Refusal(
        note.request_id,
        rfc3339(note.at_ms),
        note.key_id,
        note.key_name or None,
        note.user_id,
        note.model,
        note.endpoint,
        note.status,
        note.code,
        note.message,
    )
