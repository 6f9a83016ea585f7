"""Prices as people state them, made into prices that bill: tiers filled up, service tiers multiplied out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from otari_daemon.config.schema import Config, ConfiguredPrice, ConfiguredRates
from otari_daemon.domain.pricing import Price, Rates

CONFIGURED = "config"
PERMILLE = 1000

Stated = Mapping[str, int]
"""Rates that somebody names, in pico-USD per unit, by class of usage."""


def priced(
    plain: Price, rates: Stated, tiers: Iterable[tuple[int, Stated]], services: Mapping[str, int]
) -> Price:
    """`plain` with its rates, tiers and service tiers.

    A tier is the least number of prompt tokens it holds from, and the rates it replaces; a service tier
    is how many thousandths of the plain price it costs.
    """
    steps = tuple(
        replace(
            plain,
            rates=Rates.of(**{**rates, **dearer}),
            above_tokens=least - 1,
            source=f"{plain.source}>{least - 1}",
        )
        for least, dearer in sorted(tiers, key=lambda tier: tier[0])
    )
    whole = replace(plain, rates=Rates.of(**rates), tiers=steps)
    return replace(whole, services=tuple((name, _served(whole, name, services[name])) for name in services))


def configured_prices(config: Config) -> Iterator[Price]:
    """What the configuration states; one without a moment has held for ever, so a start adds none."""
    for name, price in config.pricing.items():
        canonical = name if ":" in name else name.replace("/", ":", 1)
        effective = price.effective_at
        effective_ms = 0 if effective is None else round(effective.timestamp() * 1000)
        yield _configured(Price(canonical, Rates.of(), effective_ms, CONFIGURED), price)


def _configured(plain: Price, stated: ConfiguredPrice) -> Price:
    return priced(
        plain,
        _rates(stated),
        [(tier.min_input_tokens, _rates(tier)) for tier in stated.pricing_tiers],
        {name: round(times * PERMILLE) for name, times in stated.service_tiers.items()},
    )


def _served(whole: Price, name: str, permille: int) -> Price:
    """A price under a service tier, its tiers with it."""
    source = f"{whole.source} {name}"
    steps = tuple(
        replace(tier, rates=tier.rates.times(permille), source=f"{source}>{tier.above_tokens}")
        for tier in whole.tiers
    )
    return replace(whole, rates=whole.rates.times(permille), source=source, tiers=steps)


def _rates(stated: ConfiguredRates) -> dict[str, int]:
    named = {
        "input": stated.input_price_per_million,
        "output": stated.output_price_per_million,
        "cache_read": stated.cache_read_price_per_million,
        "cache_write": stated.cache_write_price_per_million,
        "cache_write_1h": stated.cache_write_1h_price_per_million,
        "reasoning": stated.reasoning_price_per_million,
        "audio_input": stated.audio_input_price_per_million,
        "audio_output": stated.audio_output_price_per_million,
        "image_input": stated.image_input_price_per_million,
        "image_output": stated.image_output_price_per_million,
        "characters": stated.characters_price_per_million,
        "images": stated.price_per_image,
        "requests": stated.price_per_request,
        "seconds": stated.price_per_second,
        "tool_calls": stated.price_per_tool_call,
    }
    return {name: rate for name, rate in named.items() if rate is not None}
