"""One row of the settlement table each: what a request is charged for, by how it ended."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.domain.pricing import Price, Rates, ceiling, charge
from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import NO_BILL, TAIL_TOKENS, Consumption, bill
from otari_daemon.domain.usage import Usage

RATES = Rates.of(input=1_000_000, output=2_000_000, cache_read=250_000, requests=5_000_000)
DEARER = Price("p:m", Rates.of(input=3_000_000, output=6_000_000), 0, "test>50", above_tokens=50)
PRICE = Price("p:m", RATES, 0, "test")
TIERED = Price("p:m", RATES, 0, "test", tiers=(DEARER,))
PROMPT, OUTPUT_MAX = 100, 500
REPORTED = Usage(input=60, cache_read=30, output=20, reasoning=10, requests=1)
SEEN = Consumption(None, 40, 10)


def counted(output: int) -> Usage:
    return Usage(input=PROMPT, output=output, requests=1)


@pytest.mark.parametrize(
    ("reason", "seen", "usage"),
    [
        (Reason.USAGE, Consumption(REPORTED), REPORTED),
        (Reason.ESTIMATED, SEEN, counted(40)),
        (Reason.ESTIMATED, Consumption(), counted(0)),
        (Reason.USAGE_INVALID, SEEN, counted(40)),
        (Reason.CLIENT_CUT, SEEN, counted(40 + TAIL_TOKENS)),
        (Reason.CLIENT_CUT, Consumption(), counted(TAIL_TOKENS)),
        (Reason.CLIENT_CUT, Consumption(None, 480, 480), counted(OUTPUT_MAX)),
        (Reason.CLIENT_CUT, Consumption(REPORTED), REPORTED),
        (Reason.WITHHELD, Consumption(), counted(TAIL_TOKENS)),
        (Reason.UPSTREAM_CUT, SEEN, counted(40)),
        (Reason.UPSTREAM_CUT, Consumption(REPORTED), REPORTED),
        (Reason.AMBIGUOUS, Consumption(), counted(0)),
        (Reason.CRASH, Consumption(), counted(0)),
        (Reason.REFUSED, Consumption(REPORTED), REPORTED),
    ],
)
def test_the_table(reason: Reason, seen: Consumption, usage: Usage) -> None:
    made = bill(reason, seen, PROMPT, OUTPUT_MAX, PRICE)

    assert tuple(made) == (usage, charge(usage, RATES), False, None)
    assert made.amount > 0


@pytest.mark.parametrize("reason", [Reason.REFUSED, Reason.UNSENT])
def test_what_was_provably_not_executed_is_free(reason: Reason) -> None:
    assert bill(reason, SEEN, PROMPT, OUTPUT_MAX, PRICE) == NO_BILL


@pytest.mark.parametrize(
    "reason", [Reason.ESTIMATED, Reason.USAGE_INVALID, Reason.UPSTREAM_CUT, Reason.CLIENT_CUT]
)
def test_an_estimate_from_length_stays_within_the_limit_the_answer_had(reason: Reason) -> None:
    """Long words make few tokens: an honest provider must not look as if it broke its limit."""
    assert bill(reason, Consumption(None, 10**6, 400), PROMPT, OUTPUT_MAX, PRICE).usage.output == OUTPUT_MAX


@pytest.mark.parametrize(
    "reason", [Reason.ESTIMATED, Reason.USAGE_INVALID, Reason.UPSTREAM_CUT, Reason.CLIENT_CUT]
)
def test_more_pieces_seen_than_the_limit_allows_are_charged(reason: Reason) -> None:
    assert bill(reason, Consumption(None, 900, 900), PROMPT, OUTPUT_MAX, PRICE).usage.output == 900


@given(
    st.sampled_from(list(Reason)),
    st.integers(0, 10**9),
    st.integers(0, 1000),
    st.integers(0, 1000),
    st.integers(0, 1000),
)
def test_our_own_count_never_costs_more_than_was_held(
    reason: Reason, generated: int, prompt: int, output_max: int, spare: int
) -> None:
    seen = Consumption(None, generated, min(generated, output_max))
    held = ceiling(prompt + spare, output_max, Price("p:m", RATES, 0, "test"))

    assert bill(reason, seen, prompt, output_max, PRICE).amount <= held


@given(st.integers(0, 500), st.integers(0, 500))
def test_leaving_early_is_never_dearer_than_staying(shorter: int, more: int) -> None:
    cut, later = (
        bill(Reason.CLIENT_CUT, Consumption(None, tokens, tokens), PROMPT, OUTPUT_MAX, PRICE).amount
        for tokens in (shorter, shorter + more)
    )

    assert cut <= later


def test_a_prompt_beyond_a_tiers_threshold_is_charged_wholly_at_that_tier() -> None:
    at = Consumption(Usage(input=50, output=10, requests=1))
    beyond = Consumption(Usage(input=51, output=10, requests=1))

    assert bill(Reason.USAGE, at, 0, OUTPUT_MAX, TIERED).tier is None
    made = bill(Reason.USAGE, beyond, 0, OUTPUT_MAX, TIERED)

    assert (made.tier, made.amount) == (DEARER, 51 * 3000 + 10 * 6000)
    assert ceiling(51, 10, TIERED) >= made.amount > ceiling(50, 10, TIERED)


def test_the_tail_is_64_tokens_and_nothing_billed_is_void() -> None:
    assert TAIL_TOKENS == 64
    assert (NO_BILL.void, NO_BILL.amount, NO_BILL.tier) == (True, 0, None)


@pytest.mark.parametrize(
    "reason", [Reason.ESTIMATED, Reason.AMBIGUOUS, Reason.CLIENT_CUT, Reason.UPSTREAM_CUT]
)
def test_what_is_priced_by_the_piece_is_charged_at_every_end_at_which_something_may_have_been_made(
    reason: Reason,
) -> None:
    price = Price("p:m", Rates.of(images=40_000_000_000), 0, "test")
    seen = Consumption(pieces=Usage(images=3, requests=1))

    assert bill(reason, seen, PROMPT, OUTPUT_MAX, price).amount == 120_000_000


@pytest.mark.parametrize("reason", [Reason.REFUSED, Reason.UNSENT])
def test_pieces_that_were_never_made_cost_nothing(reason: Reason) -> None:
    assert bill(reason, Consumption(pieces=Usage(images=3)), PROMPT, OUTPUT_MAX, PRICE) == NO_BILL


def test_calls_seen_before_an_answer_broke_off_are_charged() -> None:
    priced = Price("p:m", Rates.of(input=1_000, output=1_000, tool_calls=7_000_000), 0, "test")

    cut = bill(Reason.CLIENT_CUT, Consumption(None, tool_calls=2), 10, 100, priced)

    assert cut.usage.tool_calls == 2
    assert cut.amount == 2 * 7_000 + 10 + TAIL_TOKENS


@pytest.mark.parametrize(
    ("rates", "covered"),
    [({}, True), ({"input": 1}, False), ({"input": 1, "tool_calls": 1}, True)],
    ids=["free", "unpriced", "priced"],
)
def test_calls_are_covered_by_a_price_of_their_own_or_where_all_is_free(
    rates: dict[str, int], covered: bool
) -> None:
    assert Price("p:m", Rates.of(**rates), 0, "test").covers_calls is covered
