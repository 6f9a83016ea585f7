"""What the pipeline asks of a wire format. A dialect is data and pure functions; nobody asks its name."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from otari_daemon.domain.errors import GatewayError
from otari_daemon.domain.intent import Intent, OutputLimit
from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.wire.usage_format import UsageFormat

Body = dict[str, Any]


class Reading(NamedTuple):
    """What an answer says of its use, and by which rule that settles.

    `broken`: it is no answer at all, and the caller gets an error in its place.
    """

    seen: Consumption
    reason: Reason
    broken: bool = False


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


class Dialect(Protocol):
    """One wire format as the caller speaks it."""

    endpoint: str
    upstream_path: str

    def read_intent(self, body: Body, body_bytes: int) -> Intent:
        """Check the body as far as policy needs and say what it asks for. Raises InvalidRequest."""

    def prompt_tokens(self, raw: bytes) -> int:
        """Estimate the tokens of a prompt from a body that has been read before."""

    def outgoing(self, raw: bytes, body: Body, model: str, limit: OutputLimit | None) -> bytes:
        """The body to send upstream: the caller's bytes, for `model`, and within `limit` if there is one."""

    def read_answer(self, answer: bytes, usage: UsageFormat) -> Reading:
        """What a whole answer says of its use, in the format of its provider."""

    def meter(self, intent: Intent, usage: UsageFormat) -> Meter:
        """A meter for one stream, whose provider states usage in that format."""

    def error_body(self, error: GatewayError, request_id: str) -> bytes:
        """An error as this dialect's callers expect it."""

    def error_event(self, error: GatewayError, request_id: str) -> bytes:
        """An error in the middle of a stream."""
