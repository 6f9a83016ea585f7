"""Dollars at the edges, whole nano-USD inside: exact both ways, or refused."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.domain.money import (
    AMOUNT_MAX,
    NANO_PER_USD,
    PICO_PER_NANO,
    PICO_PER_USD_PER_MILLION,
    ZERO,
    AmountError,
    format_usd,
    format_usd_per_million,
    format_usd_pico,
    parse_usd,
    parse_usd_per_million,
)

amounts = st.integers(0, AMOUNT_MAX)


@given(amounts)
def test_an_amount_written_and_read_is_itself(amount: int) -> None:
    assert parse_usd(format_usd(amount)) == amount


@given(st.integers(0, 10**18 - 1))
def test_a_rate_written_and_read_is_itself(rate: int) -> None:
    assert parse_usd_per_million(format_usd_per_million(rate)) == rate


@given(st.integers(0, 10**9), st.integers(0, 9), st.data())
def test_reading_is_exact_against_fractions(whole: int, digits: int, data: Any) -> None:
    fraction = data.draw(st.integers(0, 10**digits - 1)) if digits else 0
    text = f"{whole}.{fraction:0{digits}d}" if digits else str(whole)

    assert parse_usd(text) == Fraction(text) * NANO_PER_USD


@given(st.integers(-AMOUNT_MAX, AMOUNT_MAX))
def test_what_is_written_equals_the_amount_and_has_two_decimals_at_least(amount: int) -> None:
    written = format_usd(amount)

    assert Fraction(written) * NANO_PER_USD == amount
    assert len(written.partition(".")[2]) >= 2


@pytest.mark.parametrize(
    ("text", "nano"),
    [
        ("5", 5 * NANO_PER_USD),
        ("$0.25", 250_000_000),
        (" 12.5 ", 12_500_000_000),
        ("0.000000001", 1),
        ("0.0000000010000", 1),
        ("0", 0),
        ("9000000000", AMOUNT_MAX),
    ],
)
def test_dollars_are_read(text: str, nano: int) -> None:
    assert parse_usd(text) == nano


REFUSED = [
    *("", " ", "-1", "+1", "1.", ".5", "1,5", "1e3", "nan", "NaN", "inf", "Infinity", "0x10", "1_000"),
    *("$", "$$1", "1.2.3", "1 2", "1\n2", "five", "\u0663", "\uff15", "1\u0660"),
    *("0.0000000001", "1" * 13, "9000000000.000000001"),
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_an_exact_amount_is_refused(text: str) -> None:
    with pytest.raises(AmountError):
        parse_usd(text)


@pytest.mark.parametrize("text", ["0.0000001", "-1", "nan", ""])
def test_a_rate_finer_than_a_pico_dollar_is_refused(text: str) -> None:
    with pytest.raises(AmountError):
        parse_usd_per_million(text)


@given(st.text(max_size=30))
def test_any_text_is_an_amount_or_an_amount_error(text: str) -> None:
    try:
        amount = parse_usd(text)
    except AmountError:
        return
    assert 0 <= amount <= AMOUNT_MAX


@pytest.mark.parametrize(
    ("pico", "text"), [(1, "0.000000000001"), (2_500_000, "0.0000025"), (10**12, "1.00")]
)
def test_pico_dollars_are_written_to_the_last_of_twelve_decimals(pico: int, text: str) -> None:
    assert format_usd_pico(pico) == text


def test_the_units_are_what_databases_and_prices_were_written_in() -> None:
    assert (ZERO, NANO_PER_USD, PICO_PER_NANO, PICO_PER_USD_PER_MILLION) == (0, 10**9, 1_000, 1_000_000)
    assert AMOUNT_MAX == 9 * 10**18
