"""A sample of `make tz`: zones with odd clocks, and every fortieth other one, from 2025 to 2031."""

from __future__ import annotations

import zoneinfo
from datetime import date

import pytest

from tests.domain.timezones import check, first_instant, spans

ZONES = sorted(zoneinfo.available_timezones())
SAMPLE = ("Africa/Cairo", "America/Havana", "America/Nuuk", "Asia/Beirut", "Australia/Lord_Howe")


@pytest.mark.parametrize("name", [*SAMPLE, *ZONES[::40]])
def test_days_weeks_and_months_are_those_of_the_oracle(name: str) -> None:
    lines = list(check(name))

    assert len(lines) > 7 * (365 + 52 + 12) - 3
    assert [line for line in lines if line] == []


def test_the_oracle_knows_a_midnight_that_clocks_skip() -> None:
    havana = spans(zoneinfo.ZoneInfo("America/Havana"))

    assert first_instant(date(2025, 3, 9), havana) == 1_741_496_400  # 05:00 UTC: 00:00 becomes 01:00
    assert first_instant(date(2025, 3, 10), havana) - first_instant(date(2025, 3, 9), havana) == 23 * 3600
