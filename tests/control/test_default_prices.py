"""Prices that come with otari: by provider type and name, versioned, tiered, and what holds without one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otari_daemon.control.default_prices import DefaultPrices
from otari_daemon.domain.pricing import Rates, ceiling
from otari_daemon.domain.usage import Usage

NOW_MS = 1_795_000_000_000
SEARCH = 10_000_000_000
"""A cent, for one search of the web."""


@pytest.fixture(scope="module")
def bundled() -> DefaultPrices:
    return DefaultPrices.bundled()


def test_a_known_model_has_its_providers_price(bundled):
    price = bundled.find("openai", "gpt-5", "work:gpt-5", NOW_MS)

    assert (price.model, price.source, price.context_tokens) == ("work:gpt-5", "default", 400_000)
    assert price.rates == Rates.of(input=1_250_000, cache_read=125_000, output=10_000_000, tool_calls=SEARCH)


def test_a_long_prompt_meets_the_dearer_tier(bundled):
    price = bundled.find("gemini", "gemini-2.5-pro", "gemini:gemini-2.5-pro", NOW_MS)

    assert price.in_force(200_000) is price
    assert price.in_force(200_001).rates == Rates.of(
        input=2_500_000, cache_read=250_000, output=15_000_000, tool_calls=35_000_000_000
    )


def test_the_same_price_is_the_same_object_each_time(bundled):
    asked = [bundled.find("openai", "o3", "openai:o3", NOW_MS) for _ in range(2)]

    assert asked[0] is asked[1]


def test_a_version_does_not_hold_before_its_time(bundled):
    assert bundled.find("openai", "o3", "early:o3", 0) != bundled.find("openai", "o3", "early:o3", NOW_MS)


@pytest.mark.parametrize("wanted", [("openai", "no-such-model"), ("no-such-type", "gpt-5")])
def test_an_unknown_model_has_no_price_unless_one_is_given_for_all(bundled, wanted):
    free = DefaultPrices.none(Rates.of())

    assert bundled.find(*wanted, "x:y", NOW_MS) is None
    assert free.find(*wanted, "x:y", NOW_MS).free


def test_a_cache_write_for_an_hour_has_its_own_price(bundled):
    rates = bundled.find("anthropic", "claude-sonnet-5-5", "anthropic:x", NOW_MS).rates

    assert (rates[2], Usage(*rates).cache_write_1h) == (2_500_000, 4_000_000)


def test_a_service_tier_has_its_own_price_and_the_hold_covers_it(bundled):
    price = bundled.find("gemini", "gemini-3.8-flash-tts", "gemini:tts", NOW_MS)
    plain, priority, flex = price, price.under("priority"), price.under("flex")

    assert [each.rates[3] for each in (plain, priority, flex)] == [9_000_000, 16_200_000, 4_500_000]
    assert priority.source == "default priority"
    assert price.under("no such tier") is price
    held = {asked: ceiling(10, 1000, price, asked) for asked in (None, "auto", "priority", "flex", "default")}
    dearest, base = ceiling(10, 1000, priority), ceiling(10, 1000, replace(price, services=()))
    assert dearest > base
    assert held == {None: dearest, "auto": dearest, "priority": dearest, "flex": base, "default": base}
