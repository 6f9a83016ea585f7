"""When something ends, as people say it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from otari_cli.exits import CliError, Exit
from otari_cli.until import ending

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(params=["UTC", "Asia/Kathmandu", "America/New_York"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("until", "lasting", "ends"),
    [
        ("+2h", None, "2026-11-22T14:00:00.000Z"),
        ("2h", None, "2026-11-22T14:00:00.000Z"),
        (None, "30m", "2026-11-22T12:30:00.000Z"),
        ("2027-01-31T18:00:00+01:00", None, "2027-01-31T17:00:00.000Z"),
        (None, None, None),
    ],
)
def test_an_end_is_a_span_or_a_time(until: str | None, lasting: str | None, ends: str | None) -> None:
    assert ending(until, lasting, NOON) == ends


@pytest.mark.parametrize("wall", ["18:00", "00:00", "9:05", "12:00"])
def test_a_time_of_day_is_the_next_one_on_clocks_here(zone: str, wall: str) -> None:
    told = ending(wall, None, NOON)

    assert told is not None
    at = datetime.fromisoformat(told)
    hour, minute = map(int, wall.split(":"))
    assert NOON < at <= NOON + timedelta(days=1)
    here = at.astimezone()
    assert (here.hour, here.minute, here.second) == (hour, minute, 0)


@pytest.mark.parametrize(("until", "lasting"), [("25:00", None), ("soon", None), (None, "x"), ("1h", "1h")])
def test_what_is_no_end_is_a_usage_error(until: str | None, lasting: str | None) -> None:
    with pytest.raises(CliError) as refusal:
        ending(until, lasting, NOON)
    assert refusal.value.exit_code == Exit.USAGE
