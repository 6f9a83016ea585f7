"""What the pipeline asks of whoever is in control: this machine's own books, or a platform's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from otari_daemon.domain.errors import GatewayError
from otari_daemon.domain.idempotency import Claim, Kept
from otari_daemon.domain.intent import Intent, OutputLimit
from otari_daemon.domain.limits import Standing
from otari_daemon.domain.records import Instead, Reason
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


class Leaving(Protocol):
    """The client at the other end, as far as it matters to who waits for it."""

    def on_gone(self, callback: Callable[[], None]) -> None:
        """Run `callback` when the client leaves; at once if it has."""

    def forget(self, callback: Callable[[], None]) -> None:
        """Take the callback back."""


class Stays:
    """A client that never leaves."""

    def on_gone(self, callback: Callable[[], None]) -> None:
        """Nothing to wait for."""

    def forget(self, callback: Callable[[], None]) -> None:
        """Nothing to forget."""


STAYS = Stays()


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

    `standing` is what the caller is told of its rate limit; None where none applies. `instead` says that
    another model runs than was asked for. `claim` is that of its idempotency key, if it came with one.
    `expired`: it was open for too long and has been closed as leaked.
    """

    request_id: str
    caller: Caller
    attempts: tuple[Attempt, ...]
    opened: Ticket
    grant: Any
    standing: Standing | None = None
    instead: Instead | None = None
    claim: Claim | None = None
    expired: bool = False


class ControlPlane(Protocol):
    """Authenticates, admits and settles. Every admission is settled exactly once."""

    async def authenticate(self, credential: bytes, request_id: str, endpoint: str) -> Caller:
        """Who presents this credential. Raises Unauthenticated, UserBlocked."""

    async def claim(self, caller: Caller, endpoint: str, name: str, fingerprint: bytes) -> Claim | Kept:
        """The right to make the request of an idempotency key, or the answer it has had.

        Raises the GatewayError that says why there is neither. A claim that is not admitted is given back.
        """

    def unclaim(self, claim: Claim) -> None:
        """Give back a claim whose request was not admitted."""

    async def admit(
        self,
        caller: Caller,
        intent: Intent,
        request_id: str,
        endpoint: str,
        reader: Leaving = STAYS,
        claim: Claim | None = None,
    ) -> Admission:
        """Leave to make the request, or the GatewayError that says why not; a refusal moves no money.

        Raises ReaderLeft when the client leaves while its request waits for room.
        """

    def keep(self, admission: Admission, kept: Kept) -> None:
        """Keep the answer of an admission that has a claim; just before it is settled, never waiting."""

    def settle(self, admission: Admission, ending: Ending) -> Ticket:
        """Close the admission with what happened; never waits."""

    def follow(self, admission: Admission, generated: Callable[[], int]) -> None:
        """Keep count of a live stream's output until it settles."""

    def refused(
        self, caller: Caller, request_id: str, endpoint: str, error: GatewayError, model: str | None
    ) -> None:
        """Take note of a request that was turned away before any provider was asked."""
