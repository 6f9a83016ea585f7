"""What an explanation must be, whatever became of the request: words throughout, and sums that come out."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from otari_cli.commands.explain import lines
from otari_daemon.protocol import codec
from otari_daemon.protocol.messages import Explanation
from tests.e2e.machine import Machine

SAYS_NOTHING = re.compile(r"\b(?:unknown|None|null|nan)\b")


def explained(machine: Machine, row: Any, cost_nano: int) -> None:
    """Explain a settled row; the parts must add up to it exactly."""
    told = codec.read(Explanation, machine.ask("GET", f"/explain/{row['request_id']}"))
    assert (told.state, told.reason, told.stream) == ("settled", row["reason"], row["stream"])
    in_words(told)
    adds_up(told, Decimal(cost_nano).scaleb(-9))


def in_words(told: Explanation) -> None:
    """Nothing of what `otari explain` prints is left open."""
    shown = list(lines(told))
    assert {"request", "when", "asked", "by", "why", "to do"} <= {title for title, _ in shown}
    for title, text in shown:
        assert text, title
        assert not SAYS_NOTHING.search(text), (title, text)


def adds_up(told: Explanation, cost_usd: Decimal) -> None:
    """Units times rate, rounded up once, is what the row says; hold and ceilings fit it."""
    charge, hold = told.charge, told.hold
    assert charge is not None
    assert hold is not None
    for line in charge.lines:
        assert Decimal(line.amount_usd) == line.units * Decimal(line.usd_per_million) / 10**6
    rounding = Decimal(charge.rounding_usd)
    assert sum((Decimal(line.amount_usd) for line in charge.lines), rounding) == Decimal(charge.cost_usd)
    assert 0 <= rounding < Decimal("1e-9")
    assert Decimal(charge.cost_usd) == Decimal(charge.posted_usd) + Decimal(charge.overage_usd) == cost_usd
    assert Decimal(told.net_usd or -1) == cost_usd
    assert Decimal(charge.posted_usd) <= Decimal(hold.amount_usd)
    for ceiling in told.ceilings:
        before, after = Decimal(ceiling.room_before_usd or 0), Decimal(ceiling.room_after_usd or 0)
        assert before - after == Decimal(hold.amount_usd)
        assert 0 <= after < before <= Decimal(ceiling.limit_usd or 0)
