"""Every day, week and month of every zone, 2025 to 2031, against an oracle that asks no wall time.

    python -m tests.domain.timezones

The oracle knows a zone by the spans of constant offset it is made of, found from instants alone; a day begins
at the first instant whose local date has reached it. Prints how many boundaries agreed; exits 1 otherwise.
"""

from __future__ import annotations

import sys
import zoneinfo
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from otari_daemon.domain.windows import Calendar, CalendarUnit

FIRST, LAST = date(2025, 1, 1), date(2032, 1, 1)
MARGIN_S = 14 * 86_400
STEP_S = 6 * 3_600
DAY_S = 86_400
UNITS: tuple[CalendarUnit, ...] = ("day", "week", "month")


class Span(NamedTuple):
    """Epoch seconds, end excluded, in which a zone's clocks are `offset_s` ahead of UTC."""

    start_s: int
    end_s: int
    offset_s: int


def spans(zone: zoneinfo.ZoneInfo) -> list[Span]:
    """The spans of the years looked at, with a margin; no zone turns its clocks twice within six hours."""
    begin, end = _midnight_utc(FIRST) - MARGIN_S, _midnight_utc(LAST) + MARGIN_S
    turns = [begin]
    for early, late in pairwise(range(begin, end + STEP_S, STEP_S)):
        if _offset(zone, early) != _offset(zone, late):
            turns.append(_turn(zone, early, late))
    return [Span(start, after, _offset(zone, start)) for start, after in pairwise([*turns, end])]


def first_instant(day: date, found: Iterable[Span]) -> int:
    """Epoch second at which a zone's local date first reaches `day`."""
    midnight_s = _midnight_utc(day)
    reached = (max(span.start_s, midnight_s - span.offset_s) for span in found if _reaches(span, midnight_s))
    return next(reached)


def check(name: str) -> Iterator[str]:
    """What is wrong with a zone's periods, one line each; yields an empty line for each that agrees."""
    known = spans(zoneinfo.ZoneInfo(name))
    for unit in UNITS:
        window = Calendar(unit, name)
        for start, end in pairwise(sorted({first_instant(day, known) for day in _boundaries(unit)})):
            wanted = (start * 1000, end * 1000)
            told = (window.period(start * 1000), window.period(end * 1000 - 1))
            yield "" if told == (wanted, wanted) else f"{name} {unit}: {told} where {wanted} is right"


def _reaches(span: Span, midnight_s: int) -> bool:
    return midnight_s - span.offset_s < span.end_s


def _boundaries(unit: CalendarUnit) -> list[date]:
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    if unit == "week":
        return [day for day in days if day.weekday() == 0]
    return [day for day in days if unit == "day" or day.day == 1]


def _turn(zone: zoneinfo.ZoneInfo, early: int, late: int) -> int:
    """The first second of the later offset, by halving."""
    before = _offset(zone, early)
    while late - early > 1:
        middle = (early + late) // 2
        early, late = (middle, late) if _offset(zone, middle) == before else (early, middle)
    return late


def _offset(zone: zoneinfo.ZoneInfo, second: int) -> int:
    offset = datetime.fromtimestamp(second, zone).utcoffset()
    assert offset is not None
    return round(offset.total_seconds())


def _midnight_utc(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def main() -> int:
    """Check every zone there is."""
    zones, agreed, wrong = sorted(zoneinfo.available_timezones()), 0, 0
    for name in zones:
        for line in check(name):
            agreed, wrong = agreed + (not line), wrong + bool(line)
            if line:
                print(line)
    print(f"{agreed} periods of {len(zones)} zones agree, {wrong} do not")
    return 1 if wrong or not agreed else 0


if __name__ == "__main__":
    sys.exit(main())
