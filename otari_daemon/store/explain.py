"""What explains one request: what it was held at and by which rates, and the ceilings it was held under."""

from __future__ import annotations

from typing import NamedTuple

from otari_daemon.domain.money import Nano
from otari_daemon.domain.pricing import Price, Rates
from otari_daemon.store import adjustments, room, sql, usage
from otari_daemon.store.adjustments import Made
from otari_daemon.store.database import Session
from otari_daemon.store.usage import Row


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

    `instead` is the model it asked for, and the id and name of the budget without room for that.
    `provider_ref` is what the provider calls it, empty if it did not say.
    """

    row: Row
    input_max: int
    output_max: int
    price: Price
    ceilings: tuple[Ceiling, ...]
    instead: tuple[str, str, str] | None
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
    ceilings = tuple(each._replace(drawn_before=room.drawn_before(session, row, *each[:2])) for each in now)
    price = Price(model, Rates(rates), effective_ms, source)
    instead = session.con.execute(sql.INSTEAD, (rid,)).fetchone()
    corrections = adjustments.of_request(session, rid)
    return Account(row, input_max, output_max, price, ceilings, instead, ref.strip(), corrections)
