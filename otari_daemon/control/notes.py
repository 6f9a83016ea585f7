"""What is told to whoever watches: settled requests and refusals, as plain values."""

from __future__ import annotations

from typing import NamedTuple

from otari_daemon.control.plane import Caller
from otari_daemon.control.refusal_log import RefusalLog
from otari_daemon.domain.book import Closed, Hold
from otari_daemon.domain.errors import BudgetBusy, BudgetExceeded, GatewayError, RateLimited
from otari_daemon.domain.money import Nano
from otari_daemon.domain.records import Facts, Outcome
from otari_daemon.store.refusals import Refusal
from otari_daemon.store.watched import Watched
from otari_daemon.telemetry.activity import Activity
from otari_daemon.telemetry.clock import Clock


class Settled(NamedTuple):
    """A request that was admitted, and how it ended."""

    request_id: str
    key_name: str
    held: Nano
    facts: Facts
    outcome: Outcome
    closed: Closed


class Refused(NamedTuple):
    """A request turned away before any provider was asked."""

    request_id: str
    at_ms: int
    key_id: str | None
    key_name: str | None
    user_id: str | None
    endpoint: str
    model: str | None
    status: int
    code: str
    message: str


Note = Settled | Refused


class Notes:
    """Publishes notes: to the event stream, and refusals to their table as well."""

    def __init__(self, activity: Activity[Note], clock: Clock, refusals: RefusalLog) -> None:
        self.activity = activity
        self.refusals = refusals
        self._clock = clock

    def settled(self, note: Settled) -> None:
        """A request has ended."""
        self.activity.publish(note)

    def watched(self, hold: Hold) -> None:
        """A request was admitted under limits that are only watched: count those it went over."""
        now_ms = self._clock.now_ms()
        for account, balance in zip(hold.bundle.accounts, hold.bundle.balances, strict=True):
            limit = None if account.enforced else account.ceiling
            if limit is not None and balance.posted + balance.held > limit and hold.amount:
                self.refusals.count(Watched(*balance.key, 1, now_ms, hold.rid, hold.amount))

    def refusal(
        self,
        caller: Caller | None,
        request_id: str,
        endpoint: str,
        error: GatewayError,
        model: str | None = None,
    ) -> None:
        """A request was refused."""
        key_id, key_name, user_id = caller[:3] if caller else (None, None, None)
        now_ms, status, code, message = self._clock.now_ms(), error.status, error.code, error.message
        self.activity.publish(
            Refused(request_id, now_ms, key_id, key_name, user_id, endpoint, model, status, code, message)
        )
        budget = error.budget if isinstance(error, BudgetExceeded | BudgetBusy) else None
        limit = error.limit if isinstance(error, RateLimited) else None
        self.refusals.add(
            Refusal(
                now_ms, request_id, key_id, code, message, user_id, endpoint, model, status, budget, limit
            )
        )
