"""What becomes of a request that a budget has no room for: refused, in line, or served by a cheaper model."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from functools import partial

from otari_daemon.control.lines import Lines, Place
from otari_daemon.control.plane import Admission, Leaving
from otari_daemon.domain.book import Refused
from otari_daemon.domain.errors import (
    BudgetBusy,
    BudgetExceeded,
    Forbidden,
    InvalidRequest,
    NotFound,
    ReaderLeft,
    UnpricedModel,
)
from otari_daemon.domain.exceeding import Way
from otari_daemon.domain.limits import Limits
from otari_daemon.domain.money import format_usd
from otari_daemon.domain.records import Instead
from otari_daemon.domain.windows import FOREVER_MS
from otari_daemon.telemetry.clock import rfc3339

LOOK_S = 1.0
"""How often the first in line looks for room that nobody told it of: a raise, a new limit, a new period."""


Again = Callable[[Instead | None], Admission | Refused]
Leased = Callable[[Refused, Callable[[], Admission | Refused]], Awaitable[Admission | Refused]]
"""Has a request wait for its node's lease, where there are leases, and tries it again."""


class Overflow:
    """Deals with refusals as their budgets say."""

    def __init__(self, lines: Lines, limits: Limits, leased: Leased) -> None:
        self._lines = lines
        self._limits = limits
        self._leased = leased

    async def admit(self, refused: Refused, asked: str, again: Again, reader: Leaving) -> Admission:
        """An admission after all. Raises BudgetExceeded, BudgetBusy, ReaderLeft, and what `again` raises."""
        if refused.may_wait:
            return await self._wait(refused, again, reader)
        on_exceed = refused.account.on_exceed
        if on_exceed.way is Way.FALLBACK:
            return await self._fall_back(refused, on_exceed.model, asked, again)
        raise exceeded(refused)

    async def _wait(self, refused: Refused, again: Again, reader: Leaving) -> Admission:
        """Wait in line, and in another one where another budget turns out to be in the way."""
        if self._lines.waiting >= self._limits.throttled:
            raise self._busy(refused, "too many requests wait for room under budgets already")
        ends_s = asyncio.get_running_loop().time() + self._limits.throttle_wait_s
        while refused.may_wait:  # ends: each round takes time or ends at `ends_s`
            place = self._lines.join(refused.account.id)
            reader.on_gone(place.leave)
            try:
                admitted = await self._in_line(place, refused, again, ends_s)
            finally:
                reader.forget(place.leave)
                self._lines.leave(place)
            if isinstance(admitted, Admission):
                return admitted
            refused = admitted
        raise exceeded(refused)

    async def _in_line(
        self, place: Place, refused: Refused, again: Again, ends_s: float
    ) -> Admission | Refused:
        """Look for room whenever there may be some; return what is in the way if it is something else now."""
        loop = asyncio.get_running_loop()
        while True:  # at most `throttle_wait_s`
            await place.woken(min(LOOK_S, ends_s - loop.time()))
            if place.gone:
                raise ReaderLeft
            if self._lines.first(place):
                found = self._lines.serve(place, lambda: again(None))
                if isinstance(found, Admission) or not found.may_wait or found.account.id != place.account_id:
                    return found
                refused = found
            if loop.time() >= ends_s:
                raise self._busy(refused, "its room stayed held by requests in flight")

    async def _fall_back(self, refused: Refused, model: str, asked: str, again: Again) -> Admission:
        """Try the budget's fallback, once; whatever it is refused for, the budget was in the way first."""
        account = refused.account
        attempt = partial(again, Instead(asked, model, account.budget_id, account.name))
        try:
            found = attempt()
            if isinstance(found, Refused):
                found = await self._leased(found, attempt)
        except (Forbidden, InvalidRequest, NotFound, UnpricedModel) as error:
            raise exceeded(refused, f"; its fallback cannot serve: {error.message}") from error
        if isinstance(found, Refused):
            why = f"; its fallback {model} could cost {format_usd(found.amount)}"
            raise exceeded(refused, f"{why}, for which {found.account.name!r} has no room")
        return found

    def _busy(self, refused: Refused, why: str) -> BudgetBusy:
        name, wait_s = refused.account.name, math.ceil(self._limits.throttle_wait_s)
        return BudgetBusy(
            f"budget {name!r} throttles: {why}; retry in {wait_s} s", retry_after_s=wait_s, budget=name
        )


def exceeded(refused: Refused, more: str = "") -> BudgetExceeded:
    """Say which budget has no room, by how much, and when it will."""
    account, balance = refused.account, refused.balance
    if balance.blocked:
        why = f"a provider billed {format_usd(balance.overage)} USD beyond its holds; an operator must look"
    else:
        why = (
            f"{format_usd(balance.posted)} spent and {format_usd(balance.held)} held of "
            f"{format_usd(account.ceiling or 0)} USD; this request could cost {format_usd(refused.amount)}"
        )
    end = account.period.end_ms
    until = f"; it begins anew at {rfc3339(end)}" if end < FOREVER_MS else ""
    return BudgetExceeded(f"budget {account.name!r} has no room: {why}{more}{until}", budget=account.name)
