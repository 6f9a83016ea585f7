"""Settled requests with all that making them again needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from otari_daemon.domain.pricing import Price, Rates
from otari_daemon.store import sql_books as sql
from otari_daemon.store.database import Session


class Recorded(NamedTuple):
    """One settled request; `input_max` and `output_max` are the bounds its hold covered, 0 if not kept."""

    created_ms: int
    settled_ms: int
    key_id: str
    user_id: str
    held: int
    charged: int
    input_max: int
    output_max: int
    card: int


def recorded(session: Session, since_ms: int, until_ms: int, count: int) -> Iterator[Recorded]:
    """Up to `count` requests admitted in a span of time, oldest first."""
    return map(Recorded._make, session.con.execute(sql.REPLAYED, (since_ms, until_ms, count)))


def cards(session: Session) -> dict[int, Price]:
    """Every price that ever billed a request, by the id of its rate card; tiers left out."""
    rows = session.con.execute(sql.CARDS)
    return {
        card: Price(model, Rates(rates), effective_ms, source)
        for card, model, effective_ms, source, *rates in rows
    }
