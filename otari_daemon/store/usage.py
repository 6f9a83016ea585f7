"""What requests used and cost, read from their rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal, NamedTuple

from otari_daemon.domain.money import Nano
from otari_daemon.domain.records import Reason
from otari_daemon.domain.usage import NOTHING, Usage
from otari_daemon.store import adjustments, sql
from otari_daemon.store.database import Session
from otari_daemon.store.schema import POSTED, UNSET

ROWS_MAX = 1000
GROUPS_MAX = 10_000
OPEN_MAX = 10_000
END_MS = 1 << 62
AFTER_ALL_RIDS = b"\xff" * 17
"""Sorts after every rid of sixteen bytes."""

Grouping = Literal["key", "user", "model", "provider", "day", "endpoint"]


class Filter(NamedTuple):
    """Which requests to look at; None is any. Times are epoch milliseconds, `until_ms` excluded."""

    key_id: str | None = None
    user_id: str | None = None
    model: str | None = None
    provider: str | None = None
    since_ms: int = 0
    until_ms: int = END_MS


class Cursor(NamedTuple):
    """Where a page ended: the time and rid of its last row."""

    created_ms: int = END_MS
    rid: bytes = AFTER_ALL_RIDS


NEWEST = Cursor()


class Row(NamedTuple):
    """One request. What settles later is None or nothing while `open`; amounts are nano-USD."""

    rid: bytes
    state: int
    created_ms: int
    settled_ms: int | None
    key_id: str
    user_id: str
    endpoint: str
    model: str
    provider: str
    stream: bool
    held: Nano
    posted: Nano
    overage: Nano
    reason: Reason | None
    status: int
    first_byte_us: int
    duration_us: int
    prompt_presumed: int
    progress_out: int
    usage: Usage

    @property
    def open(self) -> bool:
        """Whether the request is still running."""
        return self.state < POSTED

    @property
    def cost(self) -> Nano:
        """The whole charge."""
        return Nano(self.posted + self.overage)


class Group(NamedTuple):
    """Sums over settled requests that have `name` in common."""

    name: str
    requests: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    posted: Nano
    overage: Nano


def rows(session: Session, wanted: Filter, count: int, before: Cursor = NEWEST) -> list[Row]:
    """Up to `count` requests (at most 1,000), newest first, older than `before`."""
    values = _bind(wanted, min(count, ROWS_MAX))
    values |= {"before_ms": before.created_ms, "before_rid": before.rid}
    return [_row(row) for row in session.con.execute(sql.ROWS[_access(wanted)], values)]


def summary(session: Session, wanted: Filter, by: Grouping) -> list[Group]:
    """Settled requests in groups, dearest first, corrections included; days are UTC, written 2026-11-22."""
    values = _bind(wanted, GROUPS_MAX)
    found = session.con.execute(sql.SUMMARY[(by, _access(wanted))], values)
    named = _day if by == "day" else str
    groups = [Group(named(row[0]), *row[1:]) for row in found]
    corrected = adjustments.by_group(session, values, by)
    if not corrected:
        return groups
    net = [each._replace(posted=Nano(each.posted + corrected.get(each.name, 0))) for each in groups]
    return sorted(net, key=lambda each: (-each.posted, each.name))


def open_holds(session: Session) -> list[Row]:
    """Requests that have not settled, oldest first."""
    return [_row(row) for row in session.con.execute(sql.OPEN_HOLDS, (OPEN_MAX,))]


def one(session: Session, rid: bytes) -> Row | None:
    """A request by its rid."""
    row = session.con.execute(sql.ONE_HOLD, (rid,)).fetchone()
    return None if row is None else _row(row)


def _day(number: int) -> str:
    """A day counted from 1970-01-01, as it is written."""
    return date.fromordinal(_FIRST_DAY + number).isoformat()


def _access(wanted: Filter) -> str:
    if wanted.key_id is not None:
        return "key"
    return "time" if wanted.user_id is None else "user"


def _bind(wanted: Filter, count: int) -> dict[str, object]:
    values: Mapping[str, object] = wanted._asdict()
    return {**values, "count": count}


def _row(row: tuple[int, ...]) -> Row:
    values = dict(zip(_COLUMNS, row[: len(_COLUMNS)], strict=True))
    values["stream"] = bool(values["stream"])
    if values["state"] >= POSTED:
        values["reason"] = Reason(values["reason"])
        return Row(**values, usage=Usage(*row[len(_COLUMNS) :]))  # type: ignore[arg-type]
    progress = 0 if values["progress_out"] == UNSET else values["progress_out"]
    return Row(**{**values, **_UNSETTLED, "progress_out": progress}, usage=NOTHING)  # type: ignore[arg-type]


_COLUMNS = Row._fields[:-1]
_FIRST_DAY = date(1970, 1, 1).toordinal()
_UNSETTLED = {
    "settled_ms": None,
    "posted": 0,
    "overage": 0,
    "reason": None,
    "status": 0,
    "first_byte_us": 0,
    "duration_us": 0,
}
