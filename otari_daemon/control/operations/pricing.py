"""Prices: set, listed, shown and removed; each change holds from the next request on."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from otari_daemon.control.actor import Actor
from otari_daemon.control.catalog import Catalog, Route
from otari_daemon.control.operations import values
from otari_daemon.control.operations.desk import Desk, Edit, changes
from otari_daemon.control.operations.price_forms import drafted, shown
from otari_daemon.domain.errors import InvalidField, NotFound
from otari_daemon.domain.pricing import Price
from otari_daemon.protocol.messages import PriceInfo, PriceSet
from otari_daemon.store import prices as rows
from otari_daemon.store.database import Connection
from otari_daemon.store.prices import Dates
from otari_daemon.telemetry.clock import rfc3339

SOURCE = "database"
NEVER = Dates(0, 0)


class Pricing:
    """What an operator does with prices."""

    def __init__(self, desk: Desk, catalog: Callable[[], Catalog]) -> None:
        self.desk = desk
        self._catalog = catalog

    @changes
    async def set(self, new: PriceSet, actor: Actor, *, dry_run: bool) -> PriceInfo:
        """Add a version, or replace the one of the same moment."""
        now_ms = self.desk.clock.now_ms()
        price = self._draft(new, now_ms)
        place = (price.model, price.effective_ms)
        created_ms = (await self.desk.read(rows.dates)).get(place, Dates(now_ms, now_ms)).created_ms
        kept = [each for each in self._catalog().prices.strongest if _place(each) != place]

        def write(con: Connection) -> None:
            rows.put(con, price, now_ms)

        await self._apply("set_price", price.model, write, [*kept, price], actor, dry_run)
        in_force = self._catalog().prices.restated([*kept, price]).find(price.model, now_ms) is price
        return shown(price, Dates(created_ms, now_ms), in_force=in_force)

    async def listed(self, skip: int, limit: int) -> list[PriceInfo]:
        """Every version that the database, the configuration or the mock states, then the bundled prices."""
        catalog, now_ms = self._catalog(), self.desk.clock.now_ms()
        stated = catalog.prices.stated
        found = stated[skip : skip + limit]
        if len(found) < limit:
            bundled = list(catalog.bundled(now_ms))
            found += bundled[max(0, skip - len(stated)) :][: limit - len(found)]
        return await self._shown(found)

    async def one(self, key: str, as_of: str | None) -> PriceInfo:
        """The version in force at a moment, wherever it is stated."""
        catalog = self._catalog()
        at_ms = self.desk.clock.now_ms() if as_of is None else values.moment(as_of, "as_of")
        model = canonical(catalog, key)
        price = in_force(catalog, model, at_ms)
        if price is None:
            raise NotFound(f"Pricing for model {key!r} not found")
        return shown(price, (await self.desk.read(rows.dates)).get(_stored(price), NEVER), in_force=True)

    async def history(self, key: str) -> list[PriceInfo]:
        """Every stated version of one model, newest first."""
        catalog = self._catalog()
        model = canonical(catalog, key)
        found = [price for price in catalog.prices.stated if price.model == model]
        if not found:
            raise NotFound(f"Pricing for model {key!r} not found")
        return await self._shown(found)

    @changes
    async def delete(self, key: str, effective_at: str | None, actor: Actor, *, dry_run: bool) -> None:
        """Remove versions from the database; what the configuration says holds again."""
        catalog = self._catalog()
        model = canonical(catalog, key)
        at_ms = None if effective_at is None else values.moment(effective_at, "effective_at")
        stored = catalog.prices.strongest
        gone = [each for each in stored if each.model == model and at_ms in (None, each.effective_ms)]
        if not gone:
            at = "" if at_ms is None else f" with effective_at {rfc3339(at_ms)}"
            raise NotFound(f"Pricing for model {key!r}{at} not found in the database")

        def write(con: Connection) -> None:
            for each in gone:
                rows.delete(con, *_place(each))

        kept = [each for each in stored if each not in gone]
        await self._apply("delete_price", model, write, kept, actor, dry_run)

    async def _apply(
        self,
        action: str,
        model: str,
        write: Callable[[Connection], None],
        after: list[Price],
        actor: Actor,
        dry_run: bool,
    ) -> None:
        """Commit, and then replace the price list in force as one reference."""

        def remember(_: None) -> None:
            catalog = self._catalog()
            catalog.prices = catalog.prices.restated(after)

        await self.desk.apply(Edit(action, model, write, remember), actor, dry_run=dry_run)

    def _draft(self, new: PriceSet, now_ms: int) -> Price:
        moment = new.effective_at
        effective_ms = now_ms if moment is None else values.moment(moment, "effective_at")
        return drafted(new, _priceable(self._catalog(), new.model_key), effective_ms, SOURCE)

    async def _shown(self, found: Iterable[Price]) -> list[PriceInfo]:
        catalog, now_ms = self._catalog(), self.desk.clock.now_ms()
        dates = await self.desk.read(rows.dates)
        return [
            shown(
                price,
                dates.get(_stored(price), NEVER),
                in_force=in_force(catalog, price.model, now_ms) == price,
            )
            for price in found
        ]


def canonical(catalog: Catalog, key: str) -> str:
    """A key as prices have it: `provider:model`. One of a provider that is gone may still be named."""
    for separator in (":", "/"):
        provider, found, model = key.partition(separator)
        if found and provider in catalog.upstreams:
            return f"{provider}:{model}"
    return key if ":" in key else key.replace("/", ":", 1)


def _priceable(catalog: Catalog, key: str) -> str:
    """The canonical form of a key that can be priced. Raises InvalidField."""
    if key in catalog.aliases:
        raise InvalidField(
            f"model_key {key!r} is an alias; price its model, {catalog.aliases[key]}", param="model_key"
        )
    name = canonical(catalog, values.label(key, "model_key"))
    provider, _, model = name.partition(":")
    if provider not in catalog.upstreams:
        known = ", ".join(sorted(catalog.upstreams)) or "none"
        raise InvalidField(
            f"model_key {key!r} names no configured provider (configured: {known})", param="model_key"
        )
    if not model or ("*" in model and model != "*"):
        raise InvalidField(f"model_key {key!r} is not provider:model or provider:*", param="model_key")
    return name


def in_force(catalog: Catalog, model: str, at_ms: int) -> Price | None:
    """The version that prices a canonical model at a moment, wherever it is stated."""
    provider, _, name = model.partition(":")
    if provider not in catalog.upstreams or name == "*":
        return catalog.prices.find(model, at_ms)
    return catalog.known_price(Route(catalog.upstreams[provider], name, model), at_ms)


def _place(price: Price) -> tuple[str, int]:
    return price.model, price.effective_ms


def _stored(price: Price) -> tuple[str, int]:
    """Where a price is in the database; nowhere, if another source states it."""
    return _place(price) if price.source == SOURCE else ("", 0)
