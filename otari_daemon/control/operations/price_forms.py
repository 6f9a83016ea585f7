"""Prices as operators write them and as they are shown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from otari_daemon.control.operations import values
from otari_daemon.control.operations.views import maybe_time
from otari_daemon.control.stated_prices import PERMILLE, priced
from otari_daemon.domain.errors import InvalidField
from otari_daemon.domain.money import PICO_PER_USD_PER_MILLION, format_usd_per_million, format_usd_pico
from otari_daemon.domain.pricing import Price, Rates
from otari_daemon.domain.usage import UNITS_MAX, Usage
from otari_daemon.protocol.messages import PriceInfo, PriceSet, PriceStep, PriceTier
from otari_daemon.store.prices import Dates
from otari_daemon.telemetry.clock import rfc3339

TIERS_MAX = 16
PIECES = {
    "images": "price_per_image",
    "requests": "price_per_request",
    "seconds": "price_per_second",
    "tool_calls": "price_per_tool_call",
}
"""Classes that are priced in dollars each, and the fields that say so."""

_SERVICE = re.compile(r"[a-z][a-z0-9_-]{0,31}")


def drafted(new: PriceSet, model: str, effective_ms: int, source: str) -> Price:
    """The price an operator states. Raises InvalidField."""
    if len(new.pricing_tiers) > TIERS_MAX or len(new.service_tiers) > TIERS_MAX:
        raise InvalidField(f"a price may have at most {TIERS_MAX} tiers of a kind", param="pricing_tiers")
    tiers = [(_least(tier), _rates(tier)) for tier in new.pricing_tiers]
    if len({least for least, _ in tiers}) < len(tiers):
        raise InvalidField("pricing_tiers must begin at different min_input_tokens", param="pricing_tiers")
    services = {name: values.permille(times, "service_tiers") for name, times in new.service_tiers.items()}
    if not all(_SERVICE.fullmatch(name) for name in services):
        raise InvalidField("service_tiers must have names like priority", param="service_tiers")
    return priced(Price(model, Rates.of(), effective_ms, source), _rates(new), tiers, services)


def shown(price: Price, dates: Dates, *, in_force: bool) -> PriceInfo:
    """A version with its dates in the database."""
    rates = Usage(*price.rates)
    return PriceInfo(
        price.model,
        rfc3339(price.effective_ms),
        rates.input / PICO_PER_USD_PER_MILLION,
        rates.output / PICO_PER_USD_PER_MILLION,
        maybe_time(dates.created_ms or None),
        maybe_time(dates.updated_ms or None),
        price.source,
        in_force,
        format_usd_per_million(rates.input),
        format_usd_per_million(rates.output),
        format_usd_per_million(rates.cache_read),
        format_usd_per_million(rates.cache_write),
        format_usd_per_million(rates.reasoning),
        dollars(price.rates),
        tuple(_steps(price)),
    )


def dollars(rates: Rates) -> dict[str, str]:
    """The classes that cost something: per million, or each where they are pieces."""
    return {
        name: format_usd_pico(rate) if name in PIECES else format_usd_per_million(rate)
        for name, rate in zip(Usage._fields, rates, strict=True)
        if rate
    }


def stated(price: Price, model: str) -> PriceSet:
    """How an operator would state a price for `model`; service tiers become multiples that cover them."""
    rates = _fields(price.rates)
    return PriceSet(
        model,
        rates.pop("input_price_per_million", "0"),
        rates.pop("output_price_per_million", "0"),
        **rates,
        pricing_tiers=tuple(_tier(tier) for tier in price.tiers),
        service_tiers={name: _multiple(price, served) for name, served in price.services},
    )


def _tier(tier: Price) -> PriceTier:
    fields = PriceTier.__dataclass_fields__
    named = {name: usd for name, usd in _fields(tier.rates).items() if name in fields}
    return PriceTier(tier.above_tokens + 1, **named)


def _fields(rates: Rates) -> dict[str, str]:
    return {PIECES.get(name, f"{name}_price_per_million"): usd for name, usd in dollars(rates).items()}


def _multiple(plain: Price, served: Price) -> str:
    """The least multiplier, in thousandths, at which no class of the plain price is below the served one."""
    pairs = [pair for pair in zip(served.rates, plain.rates, strict=True) if pair[1]]
    permille = max((-(-rate * PERMILLE // base) for rate, base in pairs), default=PERMILLE)
    return f"{permille // PERMILLE}.{permille % PERMILLE:03d}"


def _steps(price: Price) -> Iterator[PriceStep]:
    for tier in price.tiers:
        yield PriceStep(None, tier.above_tokens, dollars(tier.rates))
    for name, served in price.services:
        for each in (served, *served.tiers):
            yield PriceStep(name, each.above_tokens, dollars(each.rates))


def _least(tier: PriceTier) -> int:
    if not 1 <= tier.min_input_tokens <= UNITS_MAX:
        raise InvalidField("min_input_tokens must be at least 1", param="pricing_tiers")
    return tier.min_input_tokens


def _rates(stated: PriceSet | PriceTier) -> dict[str, int]:
    """What is stated, in pico-USD per unit, by class. Raises InvalidField."""
    found: dict[str, int] = {}
    for name in Usage._fields:
        piece = PIECES.get(name)
        field = piece or f"{name}_price_per_million"
        value = getattr(stated, field, None)
        if value is not None:
            found[name] = values.each(value, field) if piece else values.rate(value, field)
    return found
