"""What can be asked for, and what it costs: for operators, and for the holder of a key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from otari_daemon.control.catalog import Catalog, Route
from otari_daemon.control.plane import Caller
from otari_daemon.domain.errors import GatewayError
from otari_daemon.domain.money import PICO_PER_USD_PER_MILLION, format_usd_per_million
from otari_daemon.domain.pricing import Price
from otari_daemon.domain.usage import Usage
from otari_daemon.protocol.messages import ModelInfo
from otari_daemon.telemetry.clock import Clock

UNPRICED = "none"


class _Listed(NamedTuple):
    """A name that can be asked for, where it leads, and its price now."""

    name: str
    route: Route
    price: Price | None

    @property
    def created_s(self) -> int:
        """Since when the price holds, in epoch seconds; there is no other date to tell."""
        return self.price.effective_ms // 1000 if self.price else 0


class Models:
    """Every model of the configuration in force."""

    def __init__(self, catalog: Callable[[], Catalog], clock: Clock) -> None:
        self._catalog = catalog
        self._clock = clock

    async def listed(self) -> list[ModelInfo]:
        """All of them by name, with prices as decimal dollars."""
        return [_info(each) for each in _listed(self._catalog(), self._clock.now_ms())]


class PublicModels:
    """The models a key may name, as `GET /v1/models` shows them."""

    def __init__(self, catalog: Callable[[], Catalog], clock: Clock) -> None:
        self._catalog = catalog
        self._clock = clock

    async def models_for(self, caller: Caller | None) -> list[dict[str, object]]:
        """All of them, sorted by id; without a caller, whatever any key may name."""
        found = _listed(self._catalog(), self._clock.now_ms())
        return [
            _public(each)
            for each in found
            if caller is None or caller.seat.key.may_name(each.route.canonical)
        ]


def _listed(catalog: Catalog, now_ms: int) -> Iterator[_Listed]:
    for name in catalog.names(now_ms):
        try:
            route = catalog.resolve(name)
        except GatewayError:  # an alias of nothing: it cannot be asked for
            continue
        yield _Listed(name, route, catalog.known_price(route, now_ms))


def _info(each: _Listed) -> ModelInfo:
    upstream, price = each.route.upstream, each.price
    plain = ModelInfo(each.name, upstream.name, upstream.name, each.created_s, UNPRICED, mock=upstream.mock)
    if price is None:
        return plain
    rates = Usage(*price.rates)
    return ModelInfo(
        plain.id,
        plain.provider,
        plain.owned_by,
        plain.created,
        price.source,
        format_usd_per_million(rates.input),
        format_usd_per_million(rates.output),
        format_usd_per_million(rates.cache_read),
        price.context_tokens,
        plain.mock,
    )


def _public(each: _Listed) -> dict[str, object]:
    shown: dict[str, object] = {
        "id": each.name,
        "object": "model",
        "created": each.created_s,
        "owned_by": each.route.upstream.name,
        "pricing": _pricing(each.price),
    }
    return {**shown, "mock": True} if each.route.upstream.mock else shown


def _pricing(price: Price | None) -> dict[str, float] | None:
    if price is None:
        return None
    rates = Usage(*price.rates)
    return {
        "input_price_per_million": rates.input / PICO_PER_USD_PER_MILLION,
        "output_price_per_million": rates.output / PICO_PER_USD_PER_MILLION,
    }
