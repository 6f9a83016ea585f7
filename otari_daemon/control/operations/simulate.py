"""What a budget would have done to the requests that were made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from otari_daemon.control.local import ASSUMED_OUTPUT_MAX, INJECTED_OUTPUT_MAX
from otari_daemon.control.operations import values
from otari_daemon.control.operations.desk import Desk
from otari_daemon.control.operations.grants import budget_of
from otari_daemon.control.operations.views import maybe_time
from otari_daemon.domain.budgets import Budget
from otari_daemon.domain.errors import InvalidField
from otari_daemon.domain.money import format_usd
from otari_daemon.domain.pricing import Price, ceiling
from otari_daemon.domain.replay import DAY_MS, Made, Replay, Subject
from otari_daemon.protocol.messages import (
    BudgetCreate,
    BudgetSimulate,
    RefusedCount,
    SimulatedHolder,
    Simulation,
)
from otari_daemon.store import replaying as rows
from otari_daemon.store.database import Session
from otari_daemon.store.replaying import Recorded
from otari_daemon.telemetry.clock import rfc3339

SINCE = "30d"
REQUESTS_MAX = 5_000_000
LISTED_MAX = 100


@dataclass(slots=True)
class _Trial:
    """A budget, whom it is tried on, and how far the trial has come. Runs on a reader thread."""

    replay: Replay
    kind: str
    pattern: str
    pooled: bool
    name_of: Callable[[str], str | None]
    rebounded: int = 0
    seen: int = 0
    _holders: dict[str, str | None] = field(default_factory=dict)

    def run(self, session: Session, since_ms: int, until_ms: int) -> None:
        """Make every recorded request of a span again."""
        cards = rows.cards(session)
        for row in rows.recorded(session, since_ms, until_ms, REQUESTS_MAX + 1):
            self.seen += 1
            if self.seen > REQUESTS_MAX:
                return
            id = row.key_id if self.kind == "key" else row.user_id if self.kind == "user" else ""
            if id not in self._holders:
                self._holders[id] = self._holder(id)
            holder = self._holders[id]
            if holder is not None:
                self.replay.take(holder, self._bounded(row, cards[row.card]))

    def _holder(self, id: str) -> str | None:
        """Whose balance a request of this key or user draws on; None if the budget is not theirs."""
        if self.kind == "global":
            return "global"
        name = (self.name_of(id) or id) if self.kind == "key" else id
        if not fnmatchcase(name, self.pattern) and id != self.pattern:
            return None
        return f"{self.kind}:{self.pattern}" if self.pooled else f"{self.kind}:{name}"

    def _bounded(self, row: Recorded, price: Price) -> Made:
        """The request as a budget would have had it: one without a limit of its own is given ours."""
        choices, unbounded = divmod(row.output_max, ASSUMED_OUTPUT_MAX)
        if unbounded or not choices:
            return Made(*row[:6])
        self.rebounded += 1
        held = min(row.held, ceiling(row.input_max, INJECTED_OUTPUT_MAX * choices, price))
        return Made(*row[:4], held, min(row.charged, held))


class Simulator:
    """Tries budgets that nobody has."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def simulate(self, asked: BudgetSimulate) -> Simulation:
        """Replay the requests of a span under a budget, each admitted by the code that admits live ones."""
        clock = self._desk.clock
        now_ms, began_ns = clock.now_ms(), clock.monotonic_ns()
        since_ms = values.point(asked.since or SINCE, "since", now_ms)
        until_ms = now_ms if asked.until is None else values.point(asked.until, "until", now_ms)
        kind, pattern = _holder(asked.holder)
        budget = _budget(asked, since_ms)
        replay = Replay(budget.limit, budget.window, enforced=budget.enforced)
        names = {seat.key.id: seat.key.name for seat in self._desk.seats.all()}
        trial = _Trial(replay, kind, pattern, budget.pooled, names.get)
        await self._desk.survey(trial.run, since_ms, until_ms)
        took_ms = (clock.monotonic_ns() - began_ns) // 1_000_000
        return _told(trial, names, (since_ms, until_ms), took_ms)


def _budget(asked: BudgetSimulate, since_ms: int) -> Budget:
    new = BudgetCreate(
        max_budget=asked.max_budget,
        per=asked.per,
        time_zone=asked.time_zone,
        mode=asked.mode,
        scope=asked.scope,
    )
    return budget_of(new, "simulated", "simulated", since_ms)


def _holder(text: str) -> tuple[str, str]:
    kind, colon, pattern = text.partition(":")
    if text == "global":
        return kind, ""
    if kind not in ("key", "user") or not colon or not pattern:
        raise InvalidField("holder must be key:NAME, user:ID or global; a * stands for any", param="holder")
    return kind, pattern


def _told(trial: _Trial, names: dict[str, str], span: tuple[int, int], took_ms: int) -> Simulation:
    replay, subjects = trial.replay, trial.replay.subjects.values()
    firsts = [each.first_refused_ms for each in subjects if each.first_refused_ms is not None]
    worst = replay.refused_days.most_common(1)
    listed = sorted(subjects, key=lambda each: (-each.refused, -each.requests, each.account.name))
    return Simulation(
        rfc3339(span[0]),
        rfc3339(span[1]),
        sum(each.requests for each in subjects),
        sum(each.refused for each in subjects),
        maybe_time(min(firsts, default=None)),
        format_usd(sum(each.actual for each in subjects)),
        format_usd(sum(each.allowed for each in subjects)),
        len(firsts),
        tuple(map(_shown, listed[:LISTED_MAX])),
        _counts(replay.refused_keys, names),
        _counts(replay.refused_users, {}),
        rfc3339(worst[0][0] * DAY_MS)[:10] if worst else None,
        worst[0][1] if worst else 0,
        trial.rebounded,
        trial.seen <= REQUESTS_MAX,
        took_ms,
    )


def _shown(subject: Subject) -> SimulatedHolder:
    return SimulatedHolder(
        subject.account.name,
        subject.requests,
        subject.refused,
        maybe_time(subject.first_refused_ms),
        format_usd(subject.actual),
        format_usd(subject.allowed),
    )


def _counts(refused: Counter[str], names: dict[str, str]) -> tuple[RefusedCount, ...]:
    return tuple(RefusedCount(names.get(id) or id, count) for id, count in refused.most_common(LISTED_MAX))
