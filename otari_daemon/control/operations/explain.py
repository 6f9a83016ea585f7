"""Why a request cost what it did, or why it was refused: the books put into words."""

from __future__ import annotations

import re

from otari_daemon.control.operations import values, verdicts
from otari_daemon.control.operations.ceilings import drawn_on, holder_text
from otari_daemon.control.operations.desk import Desk
from otari_daemon.control.operations.views import maybe_time
from otari_daemon.control.refusal_log import RefusalLog
from otari_daemon.domain.budgets import Holder, HolderKind
from otari_daemon.domain.errors import NotFound
from otari_daemon.domain.money import (
    PICO_PER_NANO,
    format_usd,
    format_usd_per_million,
    format_usd_pico,
)
from otari_daemon.domain.pricing import ceiling
from otari_daemon.domain.records import request_id_of
from otari_daemon.domain.usage import Usage
from otari_daemon.protocol.messages import (
    CeilingExplained,
    ChargeExplained,
    ChargeLine,
    Correction,
    Explanation,
    HoldExplained,
    InsteadExplained,
    PriceExplained,
    Refusal,
    RefusalGroup,
)
from otari_daemon.store import explain as rows
from otari_daemon.store import refusals as refused
from otari_daemon.store import watched as would_refuse
from otari_daemon.store.adjustments import Made
from otari_daemon.store.explain import Account, Ceiling
from otari_daemon.store.watched import WatchedGroup
from otari_daemon.telemetry.clock import rfc3339

COMMIT_WAIT_S = 1.0
"""How long an explanation waits for what was just decided to reach the disk."""

SINCE = "1h"
WOULD_REFUSE = "would_exceed"
_RID = re.compile(r"(?:req_)?([0-9a-f]{32})")


class Explainer:
    """Questions that begin with why."""

    def __init__(self, desk: Desk, log: RefusalLog) -> None:
        self._desk = desk
        self._log = log

    async def explain(self, request_id: str) -> Explanation:
        """Everything known of one request. Raises NotFound."""
        if self._desk.ledger.available:
            await self._desk.ledger.ticket().wait(COMMIT_WAIT_S)
        match = _RID.fullmatch(request_id)
        account = await self._desk.read(rows.one, bytes.fromhex(match[1])) if match else None
        if account is not None:
            return self._account(account)
        await self._log.flush()
        found = await self._desk.read(refused.one, f"req_{match[1]}" if match else request_id)
        if found is None:
            raise NotFound(f"request {request_id!r} is not in the books")
        return self._refused(found)

    async def refusals(self, since: str | None) -> list[RefusalGroup]:
        """Refusals since a moment, the last hour by default, by code, budget and limit."""
        await self._log.flush()
        since_ms = values.point(since or SINCE, "since", self._desk.clock.now_ms())
        found = await self._desk.read(refused.groups, since_ms)
        return [self._group(count, last) for count, last in found]

    def _group(self, count: int, last: refused.Refusal) -> RefusalGroup:
        verdict = verdicts.refused(last.code, last.status)
        named = last.code, last.budget, count, self._refusal(last), last.limit
        return RefusalGroup(*named, verdict.why, verdict.advice)

    async def watched(self, since: str | None) -> list[RefusalGroup]:
        """What budgets that only watch would have refused, by budget and period."""
        await self._log.flush()
        since_ms = values.point(since or SINCE, "since", self._desk.clock.now_ms())
        return [self._would(each) for each in await self._desk.read(would_refuse.groups, since_ms)]

    def _would(self, found: WatchedGroup) -> RefusalGroup:
        amount = format_usd(found.last_amount)
        detail = f"budget {found.budget!r} only watches; it would have refused {amount} USD"
        last = refused.Refusal(
            found.last_ms,
            request_id_of(found.last_rid),
            found.key_id,
            WOULD_REFUSE,
            detail,
            found.user_id,
            found.endpoint or "",
            found.model,
            budget=found.budget,
        )
        return RefusalGroup(WOULD_REFUSE, found.budget, found.times, self._refusal(last))

    def _account(self, account: Account) -> Explanation:
        row, price = account.row, account.price
        verdict = verdicts.settled(row.reason)
        return Explanation(
            request_id_of(row.rid),
            rfc3339(row.created_ms),
            "open" if row.reason is None else "settled",
            verdict.why,
            row.endpoint,
            row.key_id,
            self._desk.seats.name_of(row.key_id) or None,
            row.user_id,
            row.model,
            row.provider,
            row.stream,
            row.status or None,
            None if row.reason is None else row.reason.name.lower(),
            _hold(account),
            tuple(self._ceiling(account, each) for each in account.ceilings),
            None if row.open else _charge(account),
            PriceExplained(price.model, price.source, maybe_time(price.effective_ms or None)),
            row.first_byte_us / 1000 if row.first_byte_us else None,
            None if row.open else row.duration_us / 1000,
            instead=None if account.instead is None else InsteadExplained(*account.instead),
            advice=verdict.advice,
            provider_request_id=account.provider_ref or None,
            corrections=tuple(map(_correction, account.corrections)),
            net_usd=None if row.open else format_usd(account.net),
        )

    def _ceiling(self, account: Account, each: Ceiling) -> CeilingExplained:
        return CeilingExplained(
            each.budget_id,
            each.name,
            self._holder(account, each),
            None if each.limit is None else format_usd(each.limit),
            format_usd(each.posted),
            format_usd(each.held),
            format_usd(each.overage),
            maybe_time(each.period_start_ms or None),
            bool(each.enforced),
            *_room(account, each),
        )

    def _holder(self, account: Account, each: Ceiling) -> str:
        """By whom the request came under a ceiling; `shared` when a shared one is not theirs any more."""
        drawn = self._desk.ceilings.of_holders(*drawn_on(account.row.key_id, account.row.user_id))
        for assignment in drawn:
            if assignment.account_id == each.account_id:
                return holder_text(assignment.holder, self._desk.seats.name_of)
        if each.holder_kind not in set(HolderKind):
            return "shared"
        return holder_text(Holder(HolderKind(each.holder_kind), each.holder_id), self._desk.seats.name_of)

    def _refused(self, found: refused.Refusal) -> Explanation:
        told, verdict = self._refusal(found), verdicts.refused(found.code, found.status)
        return Explanation(
            told.request_id,
            told.timestamp,
            "refused",
            f"{verdict.why}; {verdicts.TURNED_AWAY}",
            told.endpoint,
            told.api_key_id,
            told.key_name,
            told.user_id,
            told.model,
            status_code=told.status_code,
            reason=told.code,
            refusal=told,
            advice=verdict.advice,
        )

    def _refusal(self, found: refused.Refusal) -> Refusal:
        return Refusal(
            found.request_id,
            rfc3339(found.at_ms),
            found.key_id,
            (self._desk.seats.name_of(found.key_id) or None) if found.key_id else None,
            found.user_id,
            found.model,
            found.endpoint,
            found.status,
            found.code,
            found.detail,
        )


def _room(account: Account, each: Ceiling) -> tuple[str | None, str | None]:
    """What a ceiling had left before and after the hold, under its limit of now; None if nobody can say."""
    if each.limit is None or each.drawn_before is None:
        return None, None
    room = each.limit - each.drawn_before
    return format_usd(room), format_usd(room - account.row.held)


def _correction(made: Made) -> Correction:
    return Correction(made.source, format_usd(made.amount), rfc3339(made.made_ms), made.reason or None)


def _hold(account: Account) -> HoldExplained:
    held, rates = account.row.held, account.price.rates
    bounded = account.input_max or account.output_max
    return HoldExplained(
        format_usd(held),
        account.input_max if bounded else None,
        account.output_max if bounded else None,
        format_usd_per_million(rates.dearest_input),
        format_usd_per_million(rates.dearest_output),
        format_usd_pico(Usage(*rates).requests),
        ceiling(account.input_max, account.output_max, account.price) == held,
    )


def _charge(account: Account) -> ChargeExplained:
    row, rates = account.row, account.price.rates
    classes = zip(Usage._fields, row.usage, rates, strict=True)
    used = [each for each in classes if each[1] and (each[2] or each[0] != "requests")]
    exact = sum(units * rate for _, units, rate in used)
    lines = tuple(
        ChargeLine(name, units, format_usd_per_million(rate), format_usd_pico(units * rate))
        for name, units, rate in used
    )
    return ChargeExplained(
        lines,
        format_usd_pico(row.cost * PICO_PER_NANO - exact),
        format_usd(row.cost),
        format_usd(row.posted),
        format_usd(row.overage),
    )
