"""What requests used and cost: paged, looked up, added up, and as they settle."""

from __future__ import annotations

import re

from otari_daemon.control.notes import Settled
from otari_daemon.control.operations import find, values
from otari_daemon.control.operations.desk import Desk
from otari_daemon.domain.errors import InvalidField, NotFound
from otari_daemon.domain.money import NANO_PER_USD, format_usd
from otari_daemon.domain.records import request_id_of
from otari_daemon.protocol.messages import Grouping, UsagePage, UsageQuery, UsageRow, UsageSummaryRow
from otari_daemon.store import adjustments
from otari_daemon.store import usage as rows
from otari_daemon.store.database import Session
from otari_daemon.store.schema import POSTED
from otari_daemon.store.usage import NEWEST, ROWS_MAX, Cursor, Filter, Row
from otari_daemon.telemetry.clock import rfc3339

SKIPPED_MAX = 100_000
"""Rows a page may pass over; a cursor goes any distance."""

READ_MIN = 100
"""Rows read at once even for a smaller page, so that open ones among them cost no further turn."""


_RID = re.compile(r"(?:req_)?([0-9a-f]{32})")
_CURSOR = re.compile(r"([0-9]{1,18})-([0-9a-f]{32})")


class UsageReader:
    """Questions about settled requests."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def page(self, query: UsageQuery) -> UsagePage:
        """Settled requests, newest first, and where the next page begins."""
        if query.request_id is not None:
            return await self._one(query.request_id)
        if query.skip > SKIPPED_MAX:
            raise InvalidField(f"skip may be at most {SKIPPED_MAX}; use the cursor", param="skip")
        before = _cursor(query.cursor)
        wanted = await self._filter(query)
        found, more, corrected = await self._desk.read(_page, wanted, before, query.skip, query.limit)
        shown = tuple(self._row(row, corrected.get(row.rid, 0)) for row in found)
        return UsagePage(shown, _cursor_text(found[-1]) if more else None)

    async def summary(self, by: Grouping, query: UsageQuery) -> list[UsageSummaryRow]:
        """Sums over the settled requests of a query, dearest first; its page and request id play no part."""
        groups = await self._desk.read(rows.summary, await self._filter(query), by)
        return [
            UsageSummaryRow(
                (self._desk.seats.name_of(group.name) or group.name) if by == "key" else group.name,
                group.requests,
                group.input_tokens,
                group.output_tokens,
                format_usd(group.posted + group.overage),
            )
            for group in groups
        ]

    async def _one(self, request_id: str) -> UsagePage:
        match = _RID.fullmatch(request_id)
        if match is None:
            return UsagePage(())
        rid = bytes.fromhex(match[1])
        row, corrected = await self._desk.read(_one, rid)
        return UsagePage((self._row(row, corrected),) if row and not row.open else ())

    async def _filter(self, query: UsageQuery) -> Filter:
        now_ms = self._desk.clock.now_ms()
        return Filter(
            None if query.key is None else await self._desk.read(_key_id, query.key),
            query.user,
            query.model,
            query.provider,
            0 if query.since is None else values.point(query.since, "since", now_ms),
            rows.END_MS if query.until is None else values.point(query.until, "until", now_ms),
        )

    def _row(self, row: Row, corrected: int) -> UsageRow:
        return usage_row(row, request_id_of(row.rid), self._desk.seats.name_of(row.key_id) or None, corrected)


def usage_row(row: Row, request_id: str, key_name: str | None, corrected: int = 0) -> UsageRow:
    """A settled request as the admin protocol shows it; `corrected` nano-USD were added to it since."""
    assert row.reason is not None, "an open request has no usage row"
    used, cost = row.usage, row.cost + corrected
    return UsageRow(
        request_id,
        row.rid.hex(),
        row.key_id,
        key_name,
        row.user_id,
        rfc3339(row.created_ms),
        row.model,
        row.provider,
        row.endpoint,
        used.input_tokens,
        used.output_tokens,
        used.input_tokens + used.output_tokens,
        cost / NANO_PER_USD,
        format_usd(cost),
        format_usd(row.held),
        "success" if 0 < row.status < 400 else "error",
        None,
        row.reason.name.lower(),
        row.stream,
        row.status or None,
        used.cache_read,
        used.cache_write,
        used.reasoning,
        row.first_byte_us / 1000 if row.first_byte_us else None,
        row.duration_us / 1000,
        format_usd(corrected),
    )


def row_of(note: Settled) -> Row:
    """A request that has just settled, as its row will read."""
    facts, outcome, closed = note.facts, note.outcome, note.closed
    match = _RID.fullmatch(note.request_id)
    return Row(
        bytes.fromhex(match[1]) if match else b"",
        POSTED,
        facts.created_ms,
        outcome.settled_ms,
        facts.key_id,
        facts.user_id,
        facts.endpoint,
        facts.model,
        facts.provider,
        facts.stream,
        note.held,
        closed.posted,
        closed.overage,
        outcome.reason,
        outcome.status,
        outcome.first_byte_us,
        outcome.duration_us,
        facts.prompt_presumed,
        0,
        outcome.usage,
    )


def _one(session: Session, rid: bytes) -> tuple[Row | None, int]:
    return rows.one(session, rid), adjustments.sums(session, [rid]).get(rid, 0)


def _page(
    session: Session, wanted: Filter, before: Cursor, skip: int, limit: int
) -> tuple[list[Row], bool, dict[bytes, int]]:
    """Up to `limit` settled rows after `skip` others, whether there are more, and their corrections."""
    found, more = _settled(session, wanted, before, skip, limit)
    return found, more, adjustments.sums(session, [row.rid for row in found])


def _settled(
    session: Session, wanted: Filter, before: Cursor, skip: int, limit: int
) -> tuple[list[Row], bool]:
    needed = skip + limit + 1
    kept: list[Row] = []
    while True:  # until enough or no more: open rows, which count for nothing, are as many as are in flight
        count = min(max(needed, READ_MIN), ROWS_MAX)
        found = rows.rows(session, wanted, count, before)
        settled = [row for row in found if not row.open]
        kept += settled[skip:]
        skip = max(0, skip - len(settled))
        needed -= len(settled)
        if needed <= 0 or len(found) < count:
            return kept[:limit], len(kept) > limit
        before = _place(found[-1])


def _place(row: Row) -> Cursor:
    return Cursor(row.created_ms, row.rid)


def _key_id(session: Session, wanted: str) -> str:
    """The id of a key by id or name; an unknown one may be of a key that is gone, whose rows remain."""
    try:
        return find.key(session, wanted).key.id
    except NotFound:
        return wanted


def _cursor(text: str | None) -> Cursor:
    if text is None:
        return NEWEST
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise InvalidField("cursor is not one that this daemon gave", param="cursor")
    return Cursor(int(match[1]), bytes.fromhex(match[2]))


def _cursor_text(row: Row) -> str:
    return f"{row.created_ms}-{row.rid.hex()}"
