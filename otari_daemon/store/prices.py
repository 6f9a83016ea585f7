"""Prices that operators have set, by model and the moment they take effect."""

from __future__ import annotations

from operator import attrgetter
from typing import NamedTuple

from otari_daemon.domain.pricing import Price, Rates
from otari_daemon.domain.usage import Usage
from otari_daemon.store import sql
from otari_daemon.store.database import Connection, Session

_rates_of = attrgetter(*(f"r_{name}" for name in Usage._fields))


class Dates(NamedTuple):
    """When a price was first written, and last; epoch milliseconds."""

    created_ms: int
    updated_ms: int


def put(con: Connection, price: Price, now_ms: int) -> None:
    """Add a price, or replace the one of that model and moment."""
    row = (price.model, price.effective_ms, price.source, price.context_tokens, price.output_tokens_max)
    con.execute(sql.PRICE_ADD, (*row, *price.rates, now_ms, now_ms))


def everything(session: Session) -> list[Price]:
    """All prices, by model, oldest first."""
    found = [
        Price(
            row.model,
            Rates(_rates_of(row)),
            row.effective_ms,
            row.source,
            row.context_tokens,
            row.output_tokens_max,
        )
        for row in session.entities.Price.select()[:]
    ]
    return sorted(found, key=attrgetter("model", "effective_ms"))


def dates(session: Session) -> dict[tuple[str, int], Dates]:
    """When each price was written, by model and the moment it takes effect."""
    rows = session.con.execute(sql.PRICE_DATES)
    return {(model, effective_ms): Dates(*written) for model, effective_ms, *written in rows}


def delete(con: Connection, model: str, effective_ms: int) -> bool:
    """Remove one price; requests charged by it keep their own copy."""
    return con.execute(sql.PRICE_DELETE, (model, effective_ms)).rowcount == 1
