"""What a model costs under a provider's service tiers and beyond long prompts."""

from __future__ import annotations

import pytest

from otari_daemon.domain.pricing import Price, Rates, ceiling


def flat(rate_nano: int, above_tokens: int = 0, **more: tuple[object, ...]) -> Price:
    """A price of so many nano-USD for any token."""
    rates = Rates.of(input=rate_nano * 1_000, output=rate_nano * 1_000)
    return Price("p:m", rates, 0, "test", above_tokens=above_tokens, **more)  # type: ignore[arg-type]


LONG, LONGER = flat(2, 100), flat(3, 200)
FAST_LONG = flat(9, 100)
FAST = flat(5, tiers=(FAST_LONG,))
BATCH = flat(4)
PLAIN = flat(1, tiers=(LONG, LONGER), services=(("priority", FAST), ("batch", BATCH)))
FREE = flat(0)


@pytest.mark.parametrize(
    ("service", "tokens", "price"),
    [
        (None, 100, PLAIN),
        (None, 101, LONG),
        (None, 201, LONGER),
        ("flex", 200, LONG),
        ("priority", 100, FAST),
        ("priority", 101, FAST_LONG),
        ("batch", 1_000, BATCH),
    ],
)
def test_a_request_is_priced_by_its_tier_and_the_length_of_its_prompt(
    service: str | None, tokens: int, price: Price
) -> None:
    assert PLAIN.presumed(service, tokens) is price


def test_a_price_without_tiers_is_every_requests_and_one_of_the_two_kinds_is_enough() -> None:
    tiered, served = flat(1, tiers=(LONG,)), flat(1, services=(("priority", FAST),))

    assert BATCH.presumed("priority", 10_000) is BATCH
    assert tiered.presumed("priority", 101) is LONG
    assert served.presumed("priority", 1) is FAST


@pytest.mark.parametrize(
    ("service", "covered"),
    [("priority", True), ("batch", True), ("flex", True), ("default", True), ("express", False)],
)
def test_a_tier_is_covered_if_it_has_a_price_or_is_known_to_cost_no_more(service: str, covered: bool) -> None:
    assert PLAIN.covers(service) is covered


def test_the_family_of_a_price_is_all_that_a_request_can_be_charged_by() -> None:
    assert [*PLAIN.family()] == [PLAIN, LONG, LONGER, FAST, FAST_LONG, BATCH]


@pytest.mark.parametrize(
    ("price", "free"),
    [
        (FREE, True),
        (flat(1), False),
        (flat(0, tiers=(FREE,), services=(("priority", FREE),)), True),
        (flat(0, tiers=(FREE, LONG)), False),
        (flat(0, services=(("batch", FREE), ("priority", FAST))), False),
    ],
)
def test_a_price_is_free_if_none_of_its_family_costs_anything(price: Price, free: bool) -> None:
    assert price.free is free


@pytest.mark.parametrize(
    ("service", "input_max", "nano"),
    [
        ("default", 100, 101),
        ("default", 101, 2 * 102),
        ("default", 201, 3 * 202),
        ("batch", 10, 4 * 11),
        ("batch", 201, 4 * 202),
        ("priority", 100, 5 * 101),
        ("priority", 101, 9 * 102),
        ("express", 10, 11),
        (None, 10, 5 * 11),
        ("auto", 101, 9 * 102),
    ],
)
def test_a_request_is_held_at_the_dearest_tier_it_can_be_served_under(
    service: str | None, input_max: int, nano: int
) -> None:
    assert ceiling(input_max, 1, PLAIN, service) == nano
