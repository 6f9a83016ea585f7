"""Which prices an operator should look at: missing ones, bundled ones in use, and outdated ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from otari_daemon.control import default_prices
from otari_daemon.control.catalog import Catalog, Route
from otari_daemon.control.operations import values
from otari_daemon.control.operations.desk import Desk
from otari_daemon.control.operations.price_forms import dollars, stated
from otari_daemon.control.operations.pricing import SOURCE
from otari_daemon.control.refusal_log import RefusalLog
from otari_daemon.domain.errors import GatewayError, UnpricedModel
from otari_daemon.domain.pricing import Price
from otari_daemon.protocol.messages import PriceSuggestion
from otari_daemon.store import refusals, usage
from otari_daemon.store.database import Session
from otari_daemon.store.usage import Filter

SINCE = "30d"

Counts = list[tuple[str, int]]


class Suggestions:
    """Compares what is asked for and what is stated with what is known."""

    def __init__(self, desk: Desk, log: RefusalLog, catalog: Callable[[], Catalog]) -> None:
        self._desk = desk
        self._log = log
        self._catalog = catalog

    async def listed(self, since: str | None) -> list[PriceSuggestion]:
        """Of models asked for since a moment (30 days) and of all prices in the database."""
        now_ms = self._desk.clock.now_ms()
        since_ms = values.point(since or SINCE, "since", now_ms)
        await self._log.flush()
        refused, used = await self._desk.read(_asked_for, since_ms)
        catalog = self._catalog()
        return [
            *_refused(catalog, refused, now_ms),
            *_bundled(catalog, used, now_ms),
            *_differing(catalog, dict(used), now_ms),
        ]


def _asked_for(session: Session, since_ms: int) -> tuple[Counts, Counts]:
    refused = refusals.models(session, UnpricedModel.code, since_ms)
    groups = usage.summary(session, Filter(since_ms=since_ms), "model")
    return refused, [(group.name, group.requests) for group in groups]


def _refused(catalog: Catalog, asked: Counts, now_ms: int) -> Iterator[PriceSuggestion]:
    """Models that nobody has priced since; several names of one are one."""
    counts: dict[str, tuple[Route, int]] = {}
    for name, requests in asked:
        route = _route(catalog, name)
        if route is not None and catalog.known_price(route, now_ms) is None:
            known = counts.get(route.canonical, (route, 0))[1]
            counts[route.canonical] = (route, known + requests)
    for route, requests in counts.values():
        yield _suggested(catalog, route, "refused", requests, None, now_ms)


def _bundled(catalog: Catalog, used: Counts, now_ms: int) -> Iterator[PriceSuggestion]:
    for name, requests in used:
        route = _route(catalog, name)
        price = None if route is None else catalog.known_price(route, now_ms)
        if route is not None and price is not None and price.source == default_prices.SOURCE:
            yield _suggested(catalog, route, "bundled", requests, price, now_ms)


def _differing(catalog: Catalog, used: dict[str, int], now_ms: int) -> Iterator[PriceSuggestion]:
    """Models whose price in force is the database's, and known to be another at the same type of provider."""
    for name in sorted({price.model for price in catalog.prices.strongest}):
        route = _route(catalog, name)
        price = None if route is None else catalog.prices.find(name, now_ms)
        if route is None or price is None or price.source != SOURCE:
            continue
        known = catalog.proposed(route, now_ms)
        own = f"{route.upstream.type}:{route.model}"
        if known is not None and known[0] == own and known[1].rates != price.rates:
            yield _suggested(catalog, route, "differs", used.get(name, 0), price, now_ms)


def _route(catalog: Catalog, name: str) -> Route | None:
    try:
        return catalog.resolve(name)
    except GatewayError:  # of a provider that is gone
        return None


def _suggested(
    catalog: Catalog, route: Route, why: str, requests: int, price: Price | None, now_ms: int
) -> PriceSuggestion:
    known = catalog.proposed(route, now_ms)
    return PriceSuggestion(
        route.canonical,
        why,
        requests,
        None if known is None else known[0],
        {} if price is None else dollars(price.rates),
        None if known is None else stated(known[1], route.canonical),
    )
