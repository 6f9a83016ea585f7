"""What explains one request: what it was held at and by which rates, and the ceilings it was held under."""

from __future__ import annotations

from typing import NamedTuple

from otari_daemon.domain.money import Nano
from otari_daemon.domain.pricing import Price, Rates
from otari_daemon.store import adjustments, sql, sql_adjust, usage
from otari_daemon.store.adjustments import Made
from otari_daemon.store.database import Session
from otari_daemon.store.usage import Row

ROWS_MAX = 200_000
"""Rows of one period that an explanation reads to tell what room there was: a fraction of a second."""


class Ceiling(NamedTuple):
    """A balance that a request was held under, as it is now, and the budget it belongs to.

    `holder_kind` and `holder_id` are whose account it is; a shared budget's is nobody's in particular.
    `drawn_before` is what was posted and held when the request came, as far as the rows can be read.
    """

    account_id: int
    period_start_ms: int
    budget_id: str
    name: str
    limit: Nano | None
    enforced: bool
    holder_kind: str
    holder_id: str
    posted: Nano
    held: Nano
    overage: Nano
    drawn_before: int | None = None


class Account(NamedTuple):
    """A request with all its money: `price` is the rate card of its row, tiers and limits left out.

    `provider_ref` is what the provider calls it, empty if it did not say.
    """

    row: Row
    input_max: int
    output_max: int
    price: Price
    ceilings: tuple[Ceiling, ...]
    provider_ref: str
    corrections: tuple[Made, ...]

    @property
    def net(self) -> int:
        """What it is charged now, corrections included."""
        return self.row.cost + sum(each.amount for each in self.corrections)


def one(session: Session, rid: bytes) -> Account | None:
    """The request of a rid with what it was held at; None if there is none."""
    row = usage.one(session, rid)
    found = session.con.execute(sql.HOLD_BOUNDS, (rid,)).fetchone()
    if row is None or found is None:
        return None
    input_max, output_max, model, effective_ms, source, *rates, ref = found
    now = [Ceiling(*ceiling) for ceiling in session.con.execute(sql.HOLD_CEILINGS, (rid,)).fetchall()]
    ceilings = tuple(each._replace(drawn_before=_drawn_before(session, row, each)) for each in now)
    price = Price(model, Rates(rates), effective_ms, source)
    corrections = adjustments.of_request(session, rid)
    return Account(row, input_max, output_max, price, ceilings, ref.strip(), corrections)


def _drawn_before(session: Session, row: Row, ceiling: Ceiling) -> int | None:
    """What requests before this one had posted and held under a ceiling when it came."""
    span = (ceiling.period_start_ms, row.created_ms)
    (rows,) = session.con.execute(sql_adjust.ROWS_BETWEEN, (*span, ROWS_MAX + 1)).fetchone()
    if rows > ROWS_MAX:
        return None
    place = (ceiling.account_id, ceiling.period_start_ms, row.created_ms, row.rid)
    (drawn,) = session.con.execute(
        sql_adjust.DRAWN_BEFORE, (row.created_ms, ceiling.period_start_ms, *place)
    ).fetchone()
    return int(drawn)
