"""What is told to whoever watches: settled requests and refusals, as plain values."""

from __future__ import annotations

from typing import NamedTuple

from otari_daemon.control.plane import Caller
from otari_daemon.domain.book import Closed
from otari_daemon.domain.errors import GatewayError
from otari_daemon.domain.money import Nano
from otari_daemon.domain.records import Facts, Outcome
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
    """Publishes notes; the event stream and the refusals' table read from here."""

    def __init__(self, activity: Activity[Note], clock: Clock) -> None:
        self._activity = activity
        self._clock = clock

    def settled(self, note: Settled) -> None:
        """A request has ended."""
        self._activity.publish(note)

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
        self._activity.publish(
            Refused(
                request_id,
                self._clock.now_ms(),
                key_id,
                key_name,
                user_id,
                endpoint,
                model,
                error.status,
                error.code,
                error.message,
            )
        )
