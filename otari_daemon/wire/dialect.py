"""What the pipeline asks of a wire format. A dialect is data and pure functions; nobody asks its name."""

from __future__ import annotations

from collections.abc import Container
from typing import Any, NamedTuple, Protocol

from otari_daemon.domain.errors import GatewayError
from otari_daemon.domain.intent import Intent, OutputLimit
from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.wire.usage_format import UsageFormat

Body = dict[str, Any]


class Reading(NamedTuple):
    """What an answer says of its use, and by which rule that settles.

    `broken`: it is no answer at all, and the caller gets an error in its place. `told` is what the caller
    gets where that is not the answer itself.
    """

    seen: Consumption
    reason: Reason
    broken: bool = False
    told: bytes | None = None


class Meter(Protocol):
    """Follows one stream: reads usage from the bytes and says which of them to pass on, and when."""

    @property
    def ended(self) -> bool:
        """Whether the stream has said that it is over; later bytes mean nothing."""

    def feed(self, chunk: bytes) -> bytes:
        """Take bytes as they came; give back those to relay now. The end of the answer is kept back."""

    def finish(self) -> bytes:
        """The bytes kept back, to relay once the request is settled."""

    def reading(self) -> Reading:
        """What the stream has said of its use so far."""

    def generated(self) -> int:
        """Output tokens counted so far."""


class Wire(Protocol):
    """One way for a dialect's requests to reach a provider, and for its answers to come back.

    `speaks` is the format the provider is asked in, as `Kind.speaks` names it; `path` is under its base URL.
    """

    speaks: str
    path: str

    def outgoing(self, raw: bytes, body: Body, model: str, limit: OutputLimit | None) -> bytes:
        """The body to send, for `model`, and within `limit` if there is one. Raises InvalidRequest."""

    def read_answer(self, answer: bytes, usage: UsageFormat, intent: Intent) -> Reading:
        """What a provider's whole answer says of its use, and what its caller is told."""

    def meter(self, intent: Intent, usage: UsageFormat) -> Meter:
        """A meter for one stream, whose provider states usage in that format."""


class Asked(NamedTuple):
    """What an answer takes from its request: the model as the caller named it, an id, the time, the body.

    `request_id` makes the ids that the provider does not give; `created_s` is in seconds since 1970.
    """

    model: str
    request_id: str
    created_s: int
    body: Body


class Interpreter:
    """A way through another dialect's wire. Its wire is made for one request, which its answers refer to."""

    speaks: str

    def wire_for(self, asked: Asked, limit_field: str) -> Wire:
        """The wire for one request, to a provider that calls its limit of output tokens `limit_field`."""
        raise NotImplementedError


class Oracle:
    """A way to answer for a provider without asking it; nothing is used and nothing charged."""

    speaks: str

    def answer(self, body: Body) -> bytes:
        """The whole answer to a body that has been read before."""
        raise NotImplementedError


Way = Wire | Interpreter | Oracle


class Dialect(Protocol):
    """One wire format as the caller speaks it. `wires` are the ways it can travel, the best first."""

    endpoint: str

    @property
    def wires(self) -> tuple[Way, ...]:
        """The ways to a provider, the best first."""

    def read_intent(self, body: Body, body_bytes: int) -> Intent:
        """Check the body as far as policy needs and say what it asks for. Raises InvalidRequest."""

    def prompt_tokens(self, raw: bytes) -> int:
        """Estimate the tokens of a prompt from a body that has been read before."""

    def error_body(self, error: GatewayError, request_id: str) -> bytes:
        """An error as this dialect's callers expect it."""

    def error_event(self, error: GatewayError, request_id: str) -> bytes:
        """An error in the middle of a stream."""


def wire_to(dialect: Dialect, speaks: Container[str]) -> Way | None:
    """The best way to a provider that speaks so; None if there is none."""
    for wire in dialect.wires:
        if wire.speaks in speaks:
            return wire
    return None
