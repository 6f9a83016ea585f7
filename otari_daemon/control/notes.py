"""What is told to whoever watches: settled requests and refusals, as plain values."""

from __future__ import annotations

from typing import NamedTuple

from otari_daemon.control.plane import Caller
from otari_daemon.control.refusal_log import RefusalLog
from otari_daemon.domain.book import Closed
from otari_daemon.domain.errors import BudgetExceeded, GatewayError, RateLimited
from otari_daemon.domain.money import Nano
from otari_daemon.domain.records import Facts, Outcome
from otari_daemon.store.refusals import Refusal
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
        budget = error.budget if isinstance(error, BudgetExceeded) else None
        limit = error.limit if isinstance(error, RateLimited) else None
        self.refusals.add(
            Refusal(
                now_ms, request_id, key_id, code, message, user_id, endpoint, model, status, budget, limit
            )
        )
