"""What the pipeline asks of whoever is in control: this machine's own books, or a platform's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from otari_daemon.domain.errors import GatewayError
from otari_daemon.domain.intent import Intent, OutputLimit
from otari_daemon.domain.limits import Standing
from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.providers.upstream import Upstream


class Caller(NamedTuple):
    """An authenticated key. `seat` is its control plane's own record of it."""

    key_id: str
    key_name: str
    user_id: str
    seat: Any


class Attempt(NamedTuple):
    """One try at one provider. `limit` is set where the answer must be bounded for its hold."""

    upstream: Upstream
    model: str
    limit: OutputLimit | None


class Ending(NamedTuple):
    """How a request ended. `status` is what the client was answered; 0 when nobody was left to answer.

    `answered_ns` is the monotonic moment the provider began to answer; 0 if it never did. `provider_ref` is
    what it calls the request; empty if it did not say.
    """

    reason: Reason
    seen: Consumption = Consumption()
    status: int = 0
    answered_ns: int = 0
    provider_ref: str = ""


class Ticket(Protocol):
    """A promise that what was decided up to now will be on disk."""

    @property
    def durable(self) -> bool:
        """Whether it is."""

    async def wait(self, timeout_s: float) -> bool:
        """Wait until it is; False when that takes longer than `timeout_s`."""


@dataclass(slots=True)
class Admission:
    """Leave to make one request, with the money for it set aside.

    `standing` is what the caller is told of its rate limit; None where none applies.
    """

    request_id: str
    caller: Caller
    attempts: tuple[Attempt, ...]
    opened: Ticket
    grant: Any
    standing: Standing | None = None


class ControlPlane(Protocol):
    """Authenticates, admits and settles. Every admission is settled exactly once."""

    async def authenticate(self, credential: bytes, request_id: str, endpoint: str) -> Caller:
        """Who presents this credential. Raises Unauthenticated, UserBlocked."""

    async def admit(self, caller: Caller, intent: Intent, request_id: str, endpoint: str) -> Admission:
        """Leave to make the request, or the GatewayError that says why not; a refusal moves no money."""

    def settle(self, admission: Admission, ending: Ending) -> Ticket:
        """Close the admission with what happened; never waits."""

    def follow(self, admission: Admission, generated: Callable[[], int]) -> None:
        """Keep count of a live stream's output until it settles."""

    def refused(
        self, caller: Caller, request_id: str, endpoint: str, error: GatewayError, model: str | None
    ) -> None:
        """Take note of a request that was turned away before any provider was asked."""
