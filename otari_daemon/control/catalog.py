"""Which provider serves a model, and what it costs: one configuration's answer, remembered per name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from otari_daemon.control.default_prices import DefaultPrices
from otari_daemon.control.prices import PriceList
from otari_daemon.domain.errors import InvalidRequest, NotFound, UnpricedModel
from otari_daemon.domain.limits import Limits
from otari_daemon.domain.pricing import Price
from otari_daemon.providers.upstream import Upstream

REMEMBERED_MAX = 4096
"""Resolved names kept; when full, all are forgotten at once."""


class Route(NamedTuple):
    """A resolved model: who serves it, under what name there, and its canonical name here."""

    upstream: Upstream
    model: str
    canonical: str


class Catalog:
    """The providers, aliases and limits of one configuration; `prices` is replaced whole when one is set."""

    def __init__(
        self,
        upstreams: Mapping[str, Upstream],
        aliases: Mapping[str, str],
        served: Mapping[str, tuple[str, ...]],
        prices: PriceList,
        defaults: DefaultPrices,
        limits: Limits,
    ) -> None:
        self.upstreams = upstreams
        self.aliases = aliases
        self.prices = prices
        self.limits = limits
        self._defaults = defaults
        self._served = served
        self._remembered: dict[str, Route] = {}

    def take_prices(self, stored: Iterable[Price]) -> None:
        """Replace the price list in force by one with other versions from the database."""
        self.prices = self.prices.restated(stored)

    def resolve(self, name: str) -> Route:
        """Find who serves `provider:model`, `provider/model`, an alias, or a name one provider declares."""
        route = self._remembered.get(name)
        if route is None:
            route = self._find(self.aliases.get(name, name))
            if len(self._remembered) >= REMEMBERED_MAX:
                self._remembered.clear()
            self._remembered[name] = route
        return route

    def price(self, route: Route, now_ms: int) -> Price:
        """What a model costs now. Raises UnpricedModel, saying how to price it."""
        price = self.known_price(route, now_ms)
        if price is None:
            raise UnpricedModel(
                f"model {route.canonical!r} has no price, so it cannot be billed; set one with "
                f"'otari pricing set {route.canonical} --input USD --output USD' or in the "
                "configuration's pricing section"
            )
        return price

    def known_price(self, route: Route, now_ms: int) -> Price | None:
        """What a model costs now, if anybody has said."""
        stated = self.prices.find(route.canonical, now_ms)
        if stated is not None:
            return stated
        return self._defaults.find(route.upstream.type, route.model, route.canonical, now_ms)

    def bundled(self, now_ms: int) -> Iterator[Price]:
        """The bundled prices of models that the providers here are known to serve, by provider."""
        for name, upstream in sorted(self.upstreams.items()):
            for model in self._defaults.known(upstream.type):
                price = self._defaults.find(upstream.type, model, f"{name}:{model}", now_ms)
                if price is not None:
                    yield price

    def proposed(self, route: Route, now_ms: int) -> tuple[str, Price] | None:
        """The bundled price of a model, and whose it is: its provider's, else another's of that name."""
        return self._defaults.like(route.upstream.type, route.model, now_ms)

    def names(self, now_ms: int) -> list[str]:
        """Canonical names of all models that can be listed: declared, priced now or aliased."""
        declared = {f"{provider}:{model}" for provider, models in self._served.items() for model in models}
        known = (model for model in self.prices.names() if model.partition(":")[0] in self.upstreams)
        priced = {model for model in known if self.prices.find(model, now_ms)}
        return sorted(declared | priced | self.aliases.keys())

    def _find(self, name: str) -> Route:
        for separator in (":", "/"):
            provider, found, model = name.partition(separator)
            if found and provider in self.upstreams and model:
                return Route(self.upstreams[provider], model, f"{provider}:{model}")
        return self._find_bare(name)

    def _find_bare(self, name: str) -> Route:
        serving = [provider for provider, models in self._served.items() if name in models]
        if len(serving) == 1:
            return Route(self.upstreams[serving[0]], name, f"{serving[0]}:{name}")
        if serving:
            raise InvalidRequest(
                f"model {name!r} has several providers ({', '.join(sorted(serving))}); "
                f"say which, like {serving[0]}:{name}",
                param="model",
            )
        if ":" in name or "/" in name:
            known = ", ".join(sorted(self.upstreams)) or "none"
            raise InvalidRequest(
                f"model {name!r} names no configured provider (configured: {known})", param="model"
            )
        raise NotFound(f"model {name!r} is unknown; use the form 'provider:model'", param="model")
