"""Which price is in force: the strongest source that has one now; a name before a pattern."""

from __future__ import annotations

import pytest

from otari_daemon.control.prices import PriceList
from otari_daemon.domain.pricing import Price, Rates


def price(model: str, rate: int, since_ms: int = 0) -> Price:
    return Price(model, Rates.of(input=rate), since_ms, "test")


DATABASE = [
    price("up:a", 11, 100),
    price("up:a", 12, 200),
    price("up:future", 13, 1000),
    price("up:*", 14, 50),
]
CONFIGURED = [price("up:a", 21), price("up:b", 22), price("up:future", 23), price("other:*", 24)]
PRICES = PriceList(DATABASE, CONFIGURED)


@pytest.mark.parametrize(
    ("model", "now_ms", "rate"),
    [
        ("up:a", 99, 21),
        ("up:a", 100, 11),
        ("up:a", 199, 11),
        ("up:a", 200, 12),
        ("up:b", 500, 22),
        ("up:future", 999, 23),
        ("up:future", 1000, 13),
        ("up:unheard-of", 49, None),
        ("up:unheard-of", 50, 14),
        ("other:x", 0, 24),
        ("other", 0, 24),
        ("upper:x", 500, None),
    ],
)
def test_the_price_in_force(model: str, now_ms: int, rate: int | None) -> None:
    found = PRICES.find(model, now_ms)

    assert (found and found.rates[0]) == rate


def test_models_priced_by_name_are_listed_and_patterns_are_not() -> None:
    assert sorted(PRICES.names()) == ["up:a", "up:b", "up:future"]
