"""A provider's bill against the books: by request where it names them, else by model and day."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from otari_daemon.control.actor import Actor
from otari_daemon.control.catalog import Catalog
from otari_daemon.control.operations import values
from otari_daemon.control.operations.correcting import correct
from otari_daemon.control.operations.desk import Desk, audit
from otari_daemon.domain.book import Correction
from otari_daemon.domain.errors import InvalidField
from otari_daemon.domain.money import AMOUNT_MAX, format_usd
from otari_daemon.domain.replay import DAY_MS
from otari_daemon.protocol.messages import BilledLine, Difference, Reconcile, ReconcileReport
from otari_daemon.store import reconciling as rows
from otari_daemon.store.database import Session
from otari_daemon.store.reconciling import Booked, Day
from otari_daemon.store.usage import END_MS

LINES_MAX = 5_000
"""Lines of one question; a longer bill is asked about piece by piece."""

DIFFERENCES_MAX = 1_000
SLACK_MS = 2 * DAY_MS
"""How far a request's day on the bill may be from the day it was admitted."""

_NANO = re.compile(r"-?[0-9]{1,19}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATED = re.compile(r"[-@](?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8})$")

ModelDay = tuple[str, int]
_Kind = Literal["differs", "unknown", "unbilled"]


@dataclass(slots=True)
class _Bill:
    """Amounts in nano-USD, by request where the bill names it, else by model and day."""

    requests: dict[str, int] = field(default_factory=dict)
    days: dict[ModelDay, int] = field(default_factory=dict)
    first: int | None = None
    last: int | None = None

    def add(self, line: BilledLine) -> None:
        """Take a line; several of one request, or of one model and day, are one amount."""
        amount = _amount(line.amount_nano)
        day = None if line.day is None else _day(line.day)
        if day is not None:
            self.first = day if self.first is None else min(self.first, day)
            self.last = day if self.last is None else max(self.last, day)
        if line.request_id is not None:
            self.requests[line.request_id] = self.requests.get(line.request_id, 0) + amount
        elif line.model is not None and day is not None:
            self.days[line.model, day] = self.days.get((line.model, day), 0) + amount
        else:
            raise InvalidField("a line names a request_id, or a model and a day", param="lines")

    def span(self, slack_ms: int) -> tuple[int, int]:
        """From when to when to look, in epoch milliseconds; a bill without days is looked for everywhere."""
        if self.first is None or self.last is None:
            return 0, END_MS
        return max(0, self.first * DAY_MS - slack_ms), (self.last + 1) * DAY_MS + slack_ms


@dataclass(slots=True)
class _Comparison:
    """How a bill compares so far, and the corrections that follow from it."""

    tolerance: int
    allow_debits: bool
    source: str
    made_ms: int
    reason: str
    matched: int = 0
    within: int = 0
    charged: int = 0
    billed: int = 0
    debits_refused: int = 0
    found: list[tuple[int, Difference]] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)

    def request(self, name: str, booked: Booked, billed: int) -> None:
        """Compare one request."""
        if not self._same(1, booked.charge, billed):
            delta, day = billed - booked.charge, booked.created_ms // DAY_MS
            self._differ("differs", booked.model, day, name, 1, booked.charge, billed)
            if delta > 0 and not self.allow_debits:
                self.debits_refused += 1
            else:
                ref = f"{billed}.{booked.number}"
                self.corrections.append(
                    Correction(booked.rid, self.source, ref, delta, self.made_ms, self.reason)
                )

    def day(self, name: str, day: int, booked: list[Day], billed: int) -> None:
        """Compare one model on one day; our several names for it are one."""
        requests, charge = sum(each.requests for each in booked), sum(each.charge for each in booked)
        if not self._same(requests, charge, billed):
            self._differ("differs", name, day, None, requests, charge, billed)

    def unknown(self, name: str | None, model: str | None, day: int | None, billed: int) -> None:
        """The bill has what the books have not."""
        self.billed += billed
        if abs(billed) > self.tolerance:
            self._differ("unknown", model, day, name, 0, 0, billed)

    def unbilled(self, day: Day) -> None:
        """The books have what the bill has not."""
        self.charged += day.charge
        if day.charge > self.tolerance:
            self._differ("unbilled", day.model, day.day, None, day.requests, day.charge, 0)

    def report(self, made: int) -> ReconcileReport:
        """In words of the protocol, the largest differences first."""
        self.found.sort(key=lambda each: -each[0])
        return ReconcileReport(
            self.matched,
            self.within,
            len(self.found),
            format_usd(self.charged),
            format_usd(self.billed),
            tuple(difference for _, difference in self.found[:DIFFERENCES_MAX]),
            made,
            self.debits_refused,
        )

    def _same(self, requests: int, charge: int, billed: int) -> bool:
        self.matched += requests
        self.charged += charge
        self.billed += billed
        same = abs(billed - charge) <= self.tolerance
        self.within += requests if same else 0
        return same

    def _differ(
        self, kind: _Kind, model: str | None, day: int | None, name: str | None, count: int, charge: int,
        billed: int,
    ) -> None:  # fmt: skip
        delta = billed - charge
        date = None if day is None else _date(day)
        amounts = format_usd(charge), format_usd(billed), format_usd(delta)
        self.found.append((abs(delta), Difference(kind, model, date, name, count, *amounts)))


class Reconciler:
    """Compares what providers bill with what was charged."""

    def __init__(self, desk: Desk, catalog: Callable[[], Catalog]) -> None:
        self._desk = desk
        self._catalog = catalog

    async def reconcile(self, asked: Reconcile, actor: Actor, *, dry_run: bool) -> ReconcileReport:
        """Say what differs, and correct single requests: credits always, debits with leave."""
        desk, known = self._desk, self._catalog().upstreams
        if asked.provider not in known:
            raise InvalidField(
                f"provider {asked.provider!r} is not configured (configured: {', '.join(sorted(known))})",
                param="provider",
            )
        if len(asked.lines) > LINES_MAX:
            raise InvalidField(f"lines may be at most {LINES_MAX} at once", param="lines")
        bill = _Bill()
        for line in asked.lines:
            bill.add(line)
        comparison = _Comparison(
            values.amount(asked.tolerance_usd, "tolerance_usd") or 0,
            asked.allow_debits,
            f"reconcile:{asked.provider}",
            desk.clock.now_ms(),
            actor.reason or "",
        )
        await desk.survey(_compare, comparison, bill, asked.provider)
        if dry_run:
            return comparison.report(0)
        made = await correct(desk, comparison.corrections)
        audit("reconcile", f"{asked.provider}: {made} corrections", actor)
        return comparison.report(made)


def _compare(session: Session, comparison: _Comparison, bill: _Bill, provider: str) -> None:
    if bill.requests:
        left = dict(bill.requests)
        for name, booked in rows.booked(session, provider, left.keys(), *bill.span(SLACK_MS)):
            billed = left.pop(name, None)
            if billed is not None:  # a provider that repeats a name has billed the first of that name
                comparison.request(name, booked, billed)
        for name, billed in left.items():
            comparison.unknown(name, None, None, billed)
    if bill.days:
        _compare_days(comparison, bill.days, rows.days(session, provider, *bill.span(0)))


def _compare_days(comparison: _Comparison, billed: dict[ModelDay, int], booked: list[Day]) -> None:
    ours: dict[ModelDay, list[Day]] = {}
    for each in booked:
        name = each.model.partition(":")[2]
        exact = (name, each.day) in billed
        ours.setdefault((name if exact else _undated(name), each.day), []).append(each)
    for (name, day), amount in sorted(billed.items()):
        found = ours.pop((name, day), None) or ours.pop((_undated(name), day), None)
        if found is None:
            comparison.unknown(None, name, day, amount)
        else:
            comparison.day(name, day, found, amount)
    for each in (each for left in ours.values() for each in left):
        comparison.unbilled(each)


def _undated(model: str) -> str:
    """A model's name without the date of its snapshot: bills have it where requests often have not."""
    return _DATED.sub("", model)


def _amount(text: str) -> int:
    if not _NANO.fullmatch(text) or abs(int(text)) > AMOUNT_MAX:
        raise InvalidField("amount_nano must be whole nano-dollars", param="lines")
    return int(text)


def _day(text: str) -> int:
    try:
        at = datetime.strptime(text if _DAY.fullmatch(text) else "", "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise InvalidField("day must be a date like 2026-11-22", param="lines") from error
    return int(at.timestamp()) * 1000 // DAY_MS


def _date(day: int) -> str:
    return datetime.fromtimestamp(day * DAY_MS // 1000, UTC).date().isoformat()
