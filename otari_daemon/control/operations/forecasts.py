"""What becomes of every budget if spending goes on as it has in its current period."""

from __future__ import annotations

from otari_daemon.control.operations.ceilings import holder_text, limit_at, standing
from otari_daemon.control.operations.desk import Desk
from otari_daemon.domain.book import Account
from otari_daemon.domain.forecast import outlook
from otari_daemon.domain.money import Nano, format_usd
from otari_daemon.domain.windows import FOREVER_MS
from otari_daemon.protocol.messages import Forecast
from otari_daemon.telemetry.clock import rfc3339


class Forecaster:
    """Projects budgets from what memory knows of them; no row is read."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def forecast(self) -> list[Forecast]:
        """Every budget's holders, the one that runs out first on top."""
        ceilings, now_ms = self._desk.ceilings, self._desk.clock.now_ms()
        name_of = self._desk.seats.name_of
        found = [
            _forecast(ceilings.accounts[each.account_id], holder_text(each.holder, name_of), now_ms)
            for each in ceilings.assignments
        ]
        return sorted(found, key=lambda each: (each.runs_out_at or "~", each.name, each.holder))


def _forecast(account: Account, holder: str, now_ms: int) -> Forecast:
    period, balance = standing(account, now_ms)
    spent, limit = Nano(balance.posted + balance.overage), limit_at(account, now_ms)
    seen = outlook(spent, limit, period, now_ms)
    return Forecast(
        account.budget_id,
        account.name,
        holder,
        format_usd(spent),
        None if limit is None else format_usd(limit),
        rfc3339(period.end_ms) if period.end_ms < FOREVER_MS else None,
        None if seen.projected is None else format_usd(seen.projected),
        None if seen.runs_out_ms is None else rfc3339(seen.runs_out_ms),
    )
