"""Budgets and durations as people type them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.protocol.codec import FieldError
from otari_daemon.protocol.messages import BudgetCreate
from otari_daemon.protocol.shorthand import DURATION_MAX_S, is_budget_shorthand, parse_budget, parse_duration


@pytest.mark.parametrize(
    ("text", "amount", "per", "zone"),
    [
        ("5/day", "5", "day", None),
        ("$20/month", "20", "month", None),
        ("100", "100", "lifetime", None),
        ("0", "0", "lifetime", None),
        ("0.000000001/week", "0.000000001", "week", None),
        ("10/30d", "10", "30d", None),
        ("1/12h", "1", "12h", None),
        ("1/hour", "1", "1h", None),
        ("50/week@Europe/Oslo", "50", "week", "Europe/Oslo"),
        ("5/day@America/Argentina/Buenos_Aires", "5", "day", "America/Argentina/Buenos_Aires"),
        ("5/day@UTC", "5", "day", "UTC"),
        ("unlimited/month", None, "month", None),
        ("100/lifetime", "100", "lifetime", None),
    ],
)
def test_shorthand_is_a_budget(text: str, amount: str | None, per: str, zone: str | None) -> None:
    assert parse_budget(f" {text} ") == BudgetCreate(max_budget=amount, per=per, time_zone=zone)
    assert is_budget_shorthand(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "/", "/day", "5/", "5/fortnight", "5/0d", "5/4000d", "-5/day", "5,5/day", "1e3/day", "5.",
        "\u0665/day", "5.0000000001/day", "1234567890123", "5/day@", "5/day@../etc/passwd",
        "5/day@Europe//Oslo", "5/30d@UTC",
        "5@UTC", "$$5", "team", "5 /day", "inf", "nan/day",
    ],
)  # fmt: skip
def test_what_is_not_shorthand_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(FieldError, match="like ") as refused:
        parse_budget(text, "--limit")

    assert refused.value.field == "--limit"
    assert not is_budget_shorthand(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("12h", 43_200), ("30d", 2_592_000), ("2w", 1_209_600)]
)
def test_durations_are_seconds(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@given(st.text())
def test_any_text_is_a_bounded_duration_or_refused(text: str) -> None:
    with suppress(FieldError):
        assert 0 < parse_duration(text) <= DURATION_MAX_S
