"""When a budget's period begins and ends. Nothing is ever reset: a new period is a new balance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

FOREVER_MS = 1 << 62
"""The end of a period that does not end."""

CalendarUnit = Literal["day", "week", "month"]


class Period(NamedTuple):
    """A half-open span in epoch milliseconds; `start_ms` also names the balance it belongs to."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Lifetime:
    """One period that never ends."""

    def period(self, now_ms: int) -> Period:  # noqa: ARG002 - a window answers for any moment
        """The only period there is."""
        return Period(0, FOREVER_MS)

    def __str__(self) -> str:
        return "lifetime"


@dataclass(frozen=True, slots=True)
class Every:
    """Periods of a fixed length, counted from an anchor so that they never drift."""

    length_ms: int
    anchor_ms: int

    def period(self, now_ms: int) -> Period:
        """The period that holds `now_ms`; before the anchor, the first one."""
        passed = max(0, now_ms - self.anchor_ms) // self.length_ms
        start = self.anchor_ms + passed * self.length_ms
        return Period(start, start + self.length_ms)

    def __str__(self) -> str:
        return f"{self.length_ms // 1000}s"


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days, weeks (from Monday) or months as a wall calendar in an IANA time zone has them."""

    unit: CalendarUnit
    zone: str = "UTC"

    def period(self, now_ms: int) -> Period:
        """The calendar period that holds `now_ms`; its length follows the zone's clock changes."""
        zone = ZoneInfo(self.zone)
        local = datetime.fromtimestamp(now_ms / 1000, zone)
        first = local.replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
        if self.unit == "week":
            first -= timedelta(days=first.weekday())
        elif self.unit == "month":
            first = first.replace(day=1)
        after = self._next(first)
        end = _instant_ms(after, zone)
        if end <= now_ms:  # clocks set back across midnight: what has begun goes on
            first, after = after, self._next(after)
        return Period(_instant_ms(first, zone), _instant_ms(after, zone))

    def _next(self, first: datetime) -> datetime:
        if self.unit == "day":
            return first + timedelta(days=1)
        if self.unit == "week":
            return first + timedelta(days=7)
        return (first + timedelta(days=32)).replace(day=1)

    def __str__(self) -> str:
        return self.unit if self.zone == "UTC" else f"{self.unit} in {self.zone}"


Window = Lifetime | Every | Calendar


def _instant_ms(wall: datetime, zone: ZoneInfo) -> int:
    """The first instant at which a zone's clocks show `wall` or, if they skip it, the first after."""
    early = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if early.astimezone(zone).replace(tzinfo=None) == wall:
        return round(early.timestamp() * 1000)
    late = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return round(_skip_end(late, early, zone).timestamp() * 1000)


def _skip_end(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The transition between two instants around a gap in a zone's wall clock, to the second."""
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):  # halves at most a day: 17 rounds
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle == low:
            break
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high
