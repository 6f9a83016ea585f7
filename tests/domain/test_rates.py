"""Rates by class: what each is when it is not named, the dearest of a side, and shares of them."""

from __future__ import annotations

import pytest

from otari_daemon.domain.pricing import ONE_REQUEST, Price, Rates, ceiling, charge
from otari_daemon.domain.usage import Usage

IN = ("input", "cache_read", "cache_write", "audio_input", "cache_write_1h", "image_input")
OUT = ("output", "reasoning", "audio_output", "image_output")
PIECES = ("images", "requests", "tool_calls", "seconds", "characters")
LOW, HIGH = 3_000, 7_000


def only(name: str) -> Rates:
    """`HIGH` for one class, `LOW` for all others."""
    return Rates(HIGH if each == name else LOW for each in Usage._fields)


def test_every_class_is_of_the_prompt_of_the_answer_or_by_the_piece() -> None:
    assert sorted((*IN, *OUT, *PIECES)) == sorted(Usage._fields)


@pytest.mark.parametrize("name", Usage._fields)
def test_the_dearest_class_of_a_side_is_found_wherever_it_is(name: str) -> None:
    rates = only(name)

    assert rates.dearest_input == (HIGH if name in IN else LOW)
    assert rates.dearest_output == (HIGH if name in OUT else LOW)


def test_a_class_that_is_not_named_costs_what_its_plain_class_does_and_a_piece_nothing() -> None:
    rates = Usage(*Rates.of(input=LOW, output=HIGH))

    assert {getattr(rates, name) for name in IN} == {LOW}
    assert {getattr(rates, name) for name in OUT} == {HIGH}
    assert {getattr(rates, name) for name in PIECES} == {0}


@pytest.mark.parametrize("name", Usage._fields)
def test_a_class_that_is_named_costs_what_is_said(name: str) -> None:
    assert getattr(Usage(*Rates.of(**{name: HIGH})), name) == HIGH


@pytest.mark.parametrize(
    ("permille", "shares"), [(1, (1, 2)), (500, (500, 501)), (1_000, (1_000, 1_001)), (1_500, (1_500, 1_502))]
)
def test_a_share_of_rates_is_rounded_up(permille: int, shares: tuple[int, int]) -> None:
    assert Rates((1_000, 1_001, *(0,) * 13)).times(permille) == (*shares, *(0,) * 13)


def test_a_request_bounded_to_nothing_is_held_at_what_a_request_costs() -> None:
    price = Price("p:m", only("requests"), 0, "test")

    assert ceiling(0, 0, price) == charge(ONE_REQUEST, price.rates) == 7
