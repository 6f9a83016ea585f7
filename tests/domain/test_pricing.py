"""A charge is rounded up once, and no use within a bound costs more than its ceiling."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.domain.money import PICO_PER_NANO
from otari_daemon.domain.pricing import Price, Rates, ceiling, charge
from otari_daemon.domain.usage import Usage

Bound = tuple[int, int, Usage]

units = st.integers(0, 1 << 31)
rate = st.integers(0, 10**12)
usages = st.builds(Usage, *[units] * len(Usage._fields))
rate_cards = st.lists(rate, min_size=15, max_size=15).map(Rates)


def priced(rates: Rates, *tiers: tuple[int, Rates]) -> Price:
    dearer = tuple(Price("p:m", card, 0, "test", above_tokens=above) for above, card in tiers)
    return Price("p:m", rates, 0, "test", tiers=dearer)


@st.composite
def splits(draw: Any, total: int, parts: int) -> list[int]:
    """`total` divided among `parts` classes, in any way."""
    cuts = sorted(draw(st.lists(st.integers(0, total), min_size=parts - 1, max_size=parts - 1)))
    return [high - low for low, high in zip([0, *cuts], [*cuts, total], strict=True)]


@st.composite
def bounded(draw: Any) -> tuple[int, int, Usage]:
    """Bounds on input and output, and a use within them, split over the classes in any way."""
    input_max, output_max = draw(st.integers(0, 10**7)), draw(st.integers(0, 10**7))
    plain_in, read, wrote, heard, kept, seen = draw(splits(draw(st.integers(0, input_max)), 6))
    plain_out, thought, spoke, drawn = draw(splits(draw(st.integers(0, output_max)), 4))
    usage = Usage(
        *(plain_in, read, wrote, plain_out, thought, heard, spoke),
        requests=draw(st.integers(0, 1)),
        cache_write_1h=kept,
        image_input=seen,
        image_output=drawn,
    )
    return input_max, output_max, usage


@given(usages, rate_cards)
def test_a_charge_is_the_exact_sum_rounded_up_once(usage: Usage, rates: Rates) -> None:
    exact = sum(Fraction(unit * each, PICO_PER_NANO) for unit, each in zip(usage, rates, strict=True))

    assert 0 <= charge(usage, rates) - exact < 1


@given(usages, rate_cards, st.sampled_from(Usage._fields), units)
def test_more_use_never_costs_less(usage: Usage, rates: Rates, field: str, more: int) -> None:
    grown = usage._replace(**{field: getattr(usage, field) + more})

    assert charge(grown, rates) >= charge(usage, rates)


@given(usages, usages, rate_cards)
def test_a_request_split_in_two_costs_the_same_or_one_nano_more(
    one: Usage, other: Usage, rates: Rates
) -> None:
    together = charge(Usage(*map(sum, zip(one, other, strict=True))), rates)

    assert together <= charge(one, rates) + charge(other, rates) <= together + 1


def test_a_million_requests_of_a_thousandth_of_a_nano_cost_a_million_nanos() -> None:
    assert charge(Usage(input=1), Rates.of(input=1)) == 1


@given(bounded(), rate_cards)
def test_no_use_within_the_bounds_costs_more_than_the_ceiling(bound: Bound, rates: Rates) -> None:
    input_max, output_max, usage = bound

    assert charge(usage, rates) <= ceiling(input_max, output_max, priced(rates))


@given(bounded(), st.lists(rate_cards, min_size=2, max_size=4), st.lists(st.integers(0, 10**7), min_size=3))
def test_the_ceiling_covers_every_tier_the_prompt_can_reach(
    bound: Bound, cards: list[Rates], steps: list[int]
) -> None:
    input_max, output_max, usage = bound
    price = priced(cards[0], *zip(sorted(set(steps)), cards[1:], strict=False))

    in_force = price.in_force(usage.input_tokens)

    assert charge(usage, in_force.rates) <= ceiling(input_max, output_max, price)


@pytest.mark.parametrize(("prompt", "rate_in_force"), [(0, 1), (200_000, 1), (200_001, 3), (10**9, 3)])
def test_a_tier_is_in_force_above_its_mark(prompt: int, rate_in_force: int) -> None:
    price = priced(Rates.of(input=1), (200_000, Rates.of(input=3)))

    assert price.in_force(prompt).rates == Rates.of(input=rate_in_force)


def test_rates_that_are_not_named_follow_their_plain_class() -> None:
    assert Rates.of(input=3, output=7) == (3, 3, 3, 7, 7, 3, 7, 0, 0, 0, 3, 3, 7, 0, 0)
    assert Rates.of(input=3, output=7, cache_read=0, reasoning=9)[1:5] == (0, 3, 7, 9)


@pytest.mark.parametrize("wrong", [[1] * 14, [1] * 16, [-1] + [1] * 14])
def test_rates_are_one_for_each_class_and_not_negative(wrong: list[int]) -> None:
    with pytest.raises(ValueError, match="one non-negative integer"):
        Rates(wrong)


def test_a_misspelled_class_is_refused() -> None:
    with pytest.raises(ValueError, match="inptu"):
        Rates.of(inptu=1)


def test_a_price_with_a_tier_that_costs_is_not_free() -> None:
    assert priced(Rates.of()).free
    assert not priced(Rates.of(), (10, Rates.of(input=1))).free
