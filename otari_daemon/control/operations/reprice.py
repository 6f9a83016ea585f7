"""Pricing settled requests again: what today's price list says they should have cost when they were made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from otari_daemon.control.actor import Actor
from otari_daemon.control.catalog import Catalog
from otari_daemon.control.operations import values
from otari_daemon.control.operations.correcting import correct
from otari_daemon.control.operations.desk import Desk, audit
from otari_daemon.control.operations.pricing import canonical, in_force
from otari_daemon.domain.book import Correction
from otari_daemon.domain.money import format_usd
from otari_daemon.domain.pricing import Price, charge
from otari_daemon.protocol.messages import Reprice, RepricedModel, RepriceReport
from otari_daemon.store import repricing as rows
from otari_daemon.store.database import Session
from otari_daemon.store.fold import card_id
from otari_daemon.store.repricing import Charged
from otari_daemon.store.usage import END_MS

SOURCE = "reprice"
CORRECTIONS_MAX = 100_000
"""Corrections of one run; a further run makes the next ones."""

PriceOf = Callable[[str, int], Price | None]


@dataclass(slots=True)
class _Sums:
    """One model's requests; amounts are nano-USD."""

    requests: int = 0
    credits: int = 0
    debits: int = 0
    old: int = 0
    new: int = 0


@dataclass(slots=True)
class _Survey:
    """What pricing again comes to, and the corrections it takes."""

    allow_debits: bool
    made_ms: int
    reason: str
    models: dict[str, _Sums] = field(default_factory=dict)
    corrections: list[Correction] = field(default_factory=list)
    credited: int = 0
    debited: int = 0
    debits_refused: int = 0
    left: int = 0
    reconciled: int = 0
    unpriced: int = 0
    unknown_tier: int = 0

    def take(self, row: Charged, price: Price | None) -> None:
        """Look at one request."""
        if price is None or row.others:
            self.unpriced += price is None
            self.reconciled += price is not None
            return
        applied = _applied(price, row)
        if applied is None:
            self.unknown_tier += 1
            return
        new: int = charge(row.usage, applied.rates)
        if row.presumed:
            new = min(new, row.held)
        sums = self.models.setdefault(row.model, _Sums())
        sums.requests += 1
        sums.old += row.charge
        sums.new += new
        if new != row.charge:
            self._differs(row, sums, new - row.charge, applied)

    def _differs(self, row: Charged, sums: _Sums, amount: int, price: Price) -> None:
        if amount < 0:
            sums.credits += 1
            self.credited -= amount
        else:
            sums.debits += 1
            self.debited += amount
            if not self.allow_debits:
                self.debits_refused += 1
                return
        if len(self.corrections) == CORRECTIONS_MAX:
            self.left += 1
            return
        ref = f"{card_id(price):x}.{row.number}"
        self.corrections.append(Correction(row.rid, SOURCE, ref, amount, self.made_ms, self.reason))

    def report(self, made: int) -> RepriceReport:
        """In words of the protocol, models with the largest change first."""
        by_change = sorted(self.models.items(), key=lambda each: (-abs(each[1].new - each[1].old), each[0]))
        return RepriceReport(
            tuple(_model(name, sums) for name, sums in by_change),
            sum(sums.requests for sums in self.models.values()),
            format_usd(sum(sums.old for sums in self.models.values())),
            format_usd(sum(sums.new for sums in self.models.values())),
            format_usd(-self.credited),
            format_usd(self.debited),
            made,
            self.debits_refused,
            self.left,
            self.reconciled,
            self.unpriced,
            self.unknown_tier,
        )


def _applied(price: Price, row: Charged) -> Price | None:
    """The price a request is to be charged by: the member of a family it was, else the plain one.

    None where the family has service tiers and the request's is not told by its card.
    """
    if not price.services:
        return price.in_force(row.usage.input_tokens)
    return next((each for each in price.family() if card_id(each) == row.card), None)


class Repricing:
    """Corrects what a wrong or late price made of requests."""

    def __init__(self, desk: Desk, catalog: Callable[[], Catalog]) -> None:
        self._desk = desk
        self._catalog = catalog

    async def reprice(self, asked: Reprice, actor: Actor, *, dry_run: bool) -> RepriceReport:
        """Say what differs, and correct it: credits always, debits with leave. A second run finds nothing."""
        desk, catalog = self._desk, self._catalog()
        now_ms = desk.clock.now_ms()
        since_ms = 0 if asked.since is None else values.point(asked.since, "since", now_ms)
        until_ms = END_MS if asked.until is None else values.point(asked.until, "until", now_ms)
        model = None if asked.model is None else canonical(catalog, asked.model)
        survey = _Survey(asked.allow_debits, now_ms, actor.reason or "")

        def price_of(name: str, at_ms: int) -> Price | None:
            return in_force(catalog, name, at_ms)

        await desk.survey(_look, survey, since_ms, until_ms, model, price_of)
        if dry_run:
            return survey.report(0)
        made = await correct(desk, survey.corrections)
        audit("reprice", f"{model or 'every model'}: {made} corrections", actor)
        return survey.report(made)


def _look(
    session: Session, survey: _Survey, since_ms: int, until_ms: int, model: str | None, price_of: PriceOf
) -> None:
    for row in rows.charged(session, since_ms, until_ms):
        if model is None or row.model == model:
            survey.take(row, price_of(row.model, row.created_ms))


def _model(name: str, sums: _Sums) -> RepricedModel:
    return RepricedModel(
        name,
        sums.requests,
        sums.credits,
        sums.debits,
        format_usd(sums.old),
        format_usd(sums.new),
        format_usd(sums.new - sums.old),
    )
