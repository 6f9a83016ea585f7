"""Periods against an oracle that steps through local time: every zone, every boundary of sample years."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.domain.windows import FOREVER_MS, Calendar, CalendarUnit, Every, Lifetime, Window

ZONES = sorted(zoneinfo.available_timezones())
YEARS = (2025, 2028)
MINUTE_S = 60
DAY_S = 86_400


def local_date(zone: zoneinfo.ZoneInfo, second: int) -> date:
    return datetime.fromtimestamp(second, zone).date()


def first_second_of(day: date, zone: zoneinfo.ZoneInfo) -> int:
    """The first instant of the span that a wall calendar calls `day` or, if it is skipped, what follows.

    Found by walking: in minutes from well before until the zone's calendar has turned, and by the second
    within that minute.
    """
    around = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    offset = datetime(day.year, day.month, day.day, 12, tzinfo=zone).utcoffset() or timedelta()
    minute = around - int(offset.total_seconds()) // MINUTE_S * MINUTE_S - 180 * MINUTE_S
    while local_date(zone, minute) < day:
        minute += MINUTE_S
    return next(second for second in range(minute - MINUTE_S, minute + 1) if local_date(zone, second) >= day)


def boundaries(unit: CalendarUnit, year: int) -> list[date]:
    """The first days of all periods that begin in a year, and of the next one."""
    if unit == "month":
        return [date(year, month, 1) for month in range(1, 13)] + [date(year + 1, 1, 1)]
    first = date(year, 1, 1)
    if unit == "day":
        return [first + timedelta(days=n) for n in range(367)]
    monday = first + timedelta(days=-first.weekday() % 7)
    return [monday + timedelta(weeks=n) for n in range(53)]


def turning_days(zone: zoneinfo.ZoneInfo, year: int) -> list[date]:
    """Days on which the zone's offset changes, and their neighbors: where days are not 24 hours."""
    start = datetime(year, 1, 1, tzinfo=UTC)
    noons = [start + timedelta(days=n, hours=12) for n in range(-1, 367)]
    offsets = [noon.astimezone(zone).utcoffset() for noon in noons]
    turned = {
        (after.astimezone(zone) + timedelta(days=step)).date()
        for (before, old), (after, new) in pairwise(zip(noons, offsets, strict=True))
        if old != new
        for step in (-1, 0, 1, 2)
    }
    return sorted(turned)


def check(unit: CalendarUnit, zone_name: str, first: date, following: date) -> None:
    """One period: its bounds by the oracle, and that all moments within it name it."""
    zone = zoneinfo.ZoneInfo(zone_name)
    start, end = first_second_of(first, zone) * 1000, first_second_of(following, zone) * 1000
    if start == end:
        return  # a day that a zone skips whole
    window = Calendar(unit, zone_name)
    for moment in (start, start + 1, (start + end) // 2, end - 1):
        assert window.period(moment) == (start, end), (zone_name, first, moment)
    assert window.period(end).start_ms == end, (zone_name, following)


@pytest.mark.parametrize("year", YEARS)
def test_months_of_every_zone_begin_where_the_wall_calendar_turns(year: int) -> None:
    for zone in ZONES:
        months = Calendar("month", zone)
        for first in boundaries("month", year):
            start = first_second_of(first, zoneinfo.ZoneInfo(zone)) * 1000
            assert months.period(start).start_ms == start
            assert months.period(start - 1).end_ms == start


@pytest.mark.parametrize("year", YEARS)
def test_days_around_every_clock_change_of_every_zone_are_as_long_as_they_are(year: int) -> None:
    seen = 0
    for name in ZONES:
        for day in turning_days(zoneinfo.ZoneInfo(name), year):
            check("day", name, day, day + timedelta(days=1))
            seen += 1
    assert seen > 1000


ODD_ZONES = [
    *("UTC", "Europe/Berlin", "America/New_York", "America/Havana", "America/Santiago", "Asia/Beirut"),
    *("Africa/Cairo", "America/Nuuk", "America/Scoresbysund", "Atlantic/Azores", "Australia/Lord_Howe"),
    *("Asia/Kathmandu", "Asia/Kolkata", "Pacific/Chatham", "Pacific/Apia", "Pacific/Kiritimati"),
    *("Africa/Casablanca", "Antarctica/Troll", "Asia/Gaza"),
]


@pytest.mark.parametrize("unit", ["day", "week", "month"])
def test_every_boundary_of_zones_with_odd_clocks(unit: CalendarUnit) -> None:
    for name in ODD_ZONES:
        for first, following in pairwise(boundaries(unit, 2026)):
            check(unit, name, first, following)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/New_York", date(2025, 3, 9), 23),
        ("America/New_York", date(2025, 11, 2), 25),
        ("America/Havana", date(2025, 3, 9), 23),
        ("America/Havana", date(2025, 11, 2), 25),
        ("Asia/Beirut", date(2025, 3, 30), 23),
        ("Asia/Beirut", date(2025, 10, 25), 25),
        ("Australia/Lord_Howe", date(2025, 10, 5), 23.5),
        ("Asia/Kathmandu", date(2025, 3, 30), 24),
        ("Pacific/Apia", date(2011, 12, 29), 24),
        ("Pacific/Apia", date(2011, 12, 31), 24),
    ],
)
def test_known_days_have_known_lengths(zone: str, day: date, hours: float) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=zoneinfo.ZoneInfo(zone))

    start, end = Calendar("day", zone).period(int(noon.timestamp() * 1000))

    assert (end - start) / 3_600_000 == hours


def test_a_minute_past_midnight_that_comes_twice_does_not_reopen_the_day_before() -> None:
    """St. John's set its clocks back at 00:01, so that the evening before came again."""
    days = Calendar("day", "America/St_Johns")
    turned = int(datetime(2010, 11, 7, 2, 30, tzinfo=UTC).timestamp() * 1000)  # 00:00, a minute before

    periods = [days.period(turned + minutes * 60_000) for minutes in range(-1, 70)]

    assert [period.start_ms == turned for period in periods] == [False] + [True] * 70
    assert all(later.start_ms in (earlier.start_ms, earlier.end_ms) for earlier, later in pairwise(periods))


def test_a_week_begins_on_monday_whatever_the_year_calls_it() -> None:
    weeks = Calendar("week", "Europe/Berlin")
    friday = datetime(2027, 1, 1, 12, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))

    start = datetime.fromtimestamp(
        weeks.period(int(friday.timestamp() * 1000)).start_ms / 1000, friday.tzinfo
    )

    assert (start.date(), start.hour) == (date(2026, 12, 28), 0)
    assert start.isocalendar()[:2] == (2026, 53)


moments = st.integers(0, 4_000_000_000_000)


@given(st.sampled_from(ZONES), st.sampled_from(["day", "week", "month"]), moments)
def test_a_period_holds_its_moment_and_abuts_the_next(zone: str, unit: CalendarUnit, now_ms: int) -> None:
    window = Calendar(unit, zone)

    start, end = window.period(now_ms)

    assert start <= now_ms < end
    assert window.period(start) == window.period(end - 1) == (start, end)
    assert window.period(end).start_ms == end
    assert window.period(start - 1).end_ms == start


@given(st.integers(1, 10**10), moments, moments)
def test_fixed_periods_hold_their_moment_and_never_drift(length: int, anchor: int, now_ms: int) -> None:
    window = Every(length, anchor)

    start, end = window.period(now_ms)

    assert end - start == length
    assert (start - anchor) % length == 0
    assert start <= now_ms < end or (now_ms < anchor == start)


@given(moments)
def test_a_lifetime_has_one_period(now_ms: int) -> None:
    assert Lifetime().period(now_ms) == (0, FOREVER_MS)


@pytest.mark.parametrize(
    ("window", "said"),
    [
        (Lifetime(), "lifetime"),
        (Every(3_600_000, 5), "3600s"),
        (Calendar("day"), "day"),
        (Calendar("month", "Asia/Tokyo"), "month in Asia/Tokyo"),
    ],
)
def test_windows_say_what_they_are(window: Window, said: str) -> None:
    assert str(window) == said


def test_what_never_ends_ends_at_the_moment_that_databases_know() -> None:
    assert FOREVER_MS == 4_611_686_018_427_387_904
    assert Lifetime().period(5) == (0, FOREVER_MS)


def test_a_day_whose_first_half_hour_the_clocks_skipped_begins_when_they_had() -> None:
    """Toronto, 30 March 1919: 23:30 was followed by 00:30."""
    noon = datetime(1919, 3, 31, 16, tzinfo=UTC)
    begins = datetime(1919, 3, 31, 4, 30, tzinfo=UTC)

    assert Calendar("day", "America/Toronto").period(ms_of(noon)).start_ms == ms_of(begins)


def ms_of(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
