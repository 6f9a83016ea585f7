"""Rates on a command line: every class, tiers and service tiers, or a sentence about what cannot be read."""

from __future__ import annotations

import pytest

from otari_cli.exits import CliError
from otari_cli.rates import priced
from otari_daemon.protocol.messages import PriceSet, PriceTier

PLAIN = {"input": "1", "output": "2"}


def test_every_kind_of_rate_finds_its_field() -> None:
    made = priced(
        "up:m", PLAIN, None, ["cache_read=0.1", "image=0.04"], ["200001:input=2,output=4"], ["priority=1.8"]
    )

    assert made == PriceSet(
        "up:m",
        "1",
        "2",
        cache_read_price_per_million="0.1",
        price_per_image="0.04",
        pricing_tiers=(PriceTier(200_001, "2", "4"),),
        service_tiers={"priority": "1.8"},
    )
    assert priced("up:m", PLAIN, None, None, None, None) == PriceSet("up:m", "1", "2")


@pytest.mark.parametrize(
    ("rates", "tiers", "services", "told"),
    [
        (["cache_read"], [], [], "--rate"),
        (["cached=1"], [], [], "cached_price_per_million"),
        ([], ["input=2"], [], "--tier"),
        ([], ["5:input"], [], "--tier"),
        ([], ["5:inptu=2"], [], "pricing_tiers"),
        ([], [], ["priority"], "--service"),
    ],
)
def test_what_cannot_be_read_is_named(
    rates: list[str], tiers: list[str], services: list[str], told: str
) -> None:
    with pytest.raises(CliError, match=told):
        priced("up:m", PLAIN, None, rates, tiers, services)
