"""Prices that operators have set, by model and the moment they take effect."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from operator import attrgetter
from typing import Any, NamedTuple

from otari_daemon.domain.pricing import Price, Rates
from otari_daemon.domain.usage import Usage
from otari_daemon.store import sql
from otari_daemon.store.database import Connection, Session

Step = tuple[int, dict[str, int]]
"""Above how many prompt tokens, and the rates there."""

_rates_of = attrgetter(*(f"r_{name}" for name in Usage._fields))


class Dates(NamedTuple):
    """When a price was first written, and last; epoch milliseconds."""

    created_ms: int
    updated_ms: int


def put(con: Connection, price: Price, now_ms: int) -> None:
    """Add a price, or replace the one of that model and moment."""
    row = (price.model, price.effective_ms, price.source, price.context_tokens, price.output_tokens_max)
    dearer = (_written(price.tiers), _served(price))
    con.execute(sql.PRICE_ADD, (*row, *price.rates, *dearer, now_ms, now_ms))


def everything(session: Session) -> list[Price]:
    """All prices, by model, oldest first."""
    found = [_price(row) for row in session.entities.Price.select()[:]]
    return sorted(found, key=attrgetter("model", "effective_ms"))


def dates(session: Session) -> dict[tuple[str, int], Dates]:
    """When each price was written, by model and the moment it takes effect."""
    rows = session.con.execute(sql.PRICE_DATES)
    return {(model, effective_ms): Dates(*written) for model, effective_ms, *written in rows}


def delete(con: Connection, model: str, effective_ms: int) -> bool:
    """Remove one price; requests charged by it keep their own copy."""
    return con.execute(sql.PRICE_DELETE, (model, effective_ms)).rowcount == 1


def _price(row: Any) -> Price:
    plain = Price(
        row.model,
        Rates(_rates_of(row)),
        row.effective_ms,
        row.source,
        row.context_tokens,
        row.output_tokens_max,
    )
    services = json.loads(row.services) if row.services else {}
    return replace(
        plain,
        tiers=_read(plain, row.source, json.loads(row.tiers)) if row.tiers else (),
        services=tuple((name, _service(plain, name, steps)) for name, steps in services.items()),
    )


def _service(plain: Price, name: str, steps: list[Step]) -> Price:
    first, *dearer = _read(plain, f"{plain.source} {name}", steps)
    return replace(first, tiers=tuple(dearer))


def _read(plain: Price, source: str, steps: list[Step]) -> tuple[Price, ...]:
    """Prices in steps of `[above how many tokens, {class: pico}]`; each names its step in its source."""
    return tuple(
        replace(
            plain,
            rates=Rates.of(**rates),
            source=f"{source}>{above}" if above else source,
            above_tokens=above,
        )
        for above, rates in steps
    )


def _written(tiers: Iterable[Price]) -> str:
    steps = _steps(tiers)
    return json.dumps(steps) if steps else ""


def _served(price: Price) -> str:
    services = {name: _steps((each, *each.tiers)) for name, each in price.services}
    return json.dumps(services) if services else ""


def _steps(prices: Iterable[Price]) -> list[Step]:
    return [(each.above_tokens, dict(zip(Usage._fields, each.rates, strict=True))) for each in prices]
