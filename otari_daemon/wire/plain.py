"""What those dialects share that are JSON in and one JSON object out."""

from __future__ import annotations

from typing import Any

import msgspec

from otari_daemon.domain.errors import GatewayError
from otari_daemon.domain.intent import Intent, OutputLimit, presumed_tokens
from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.domain.usage import Usage
from otari_daemon.wire import openai_errors, sse
from otari_daemon.wire.bytes_meter import BytesMeter
from otari_daemon.wire.dialect import Body, Meter, Reading
from otari_daemon.wire.plain_reading import reading_of
from otari_daemon.wire.strict_json import replace_top_level
from otari_daemon.wire.usage_format import UsageFormat


class Told(msgspec.Struct):
    """What is read of an answer: where usage may stand, and what it delivers, undecoded."""

    usage: Any = None
    meta: Any = None
    duration: Any = None
    data: msgspec.Raw = msgspec.Raw()
    results: msgspec.Raw = msgspec.Raw()
    text: msgspec.Raw = msgspec.Raw()

    @property
    def delivers(self) -> bool:
        """Whether it has anything that was asked for."""
        return bool(bytes(self.data) or bytes(self.results) or bytes(self.text))


_told = msgspec.json.Decoder(Told)


class PlainWire:
    """One format on both sides: bytes through, the model's name aside."""

    def __init__(self, speaks: str, path: str) -> None:
        self.speaks = speaks
        self.path = path

    def outgoing(self, raw: bytes, body: Body, model: str, limit: OutputLimit | None) -> bytes:  # noqa: ARG002
        """The caller's body for `model`; what comes back cannot be limited in tokens."""
        return replace_top_level(raw, body, {"model": model})

    def read_answer(self, answer: bytes, usage: UsageFormat, intent: Intent) -> Reading:
        """Stated usage, with what we count by the piece where it states none; or our own count."""
        try:
            told = _told.decode(answer)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return Reading(Consumption(), Reason.ESTIMATED, broken=True)
        stated = usage.stated_in({"usage": told.usage, "meta": told.meta})
        if stated is None and not told.delivers:
            return Reading(Consumption(), Reason.REFUSED, broken=True)
        pieces = self.pieces(told, intent)
        counted = Consumption(None, self.generated(told, intent), pieces=pieces)
        return reading_of(stated, usage, counted, pieces)

    def meter(self, intent: Intent, usage: UsageFormat) -> Meter:  # noqa: ARG002 - a `Wire`
        """What passes as bytes is charged as it was asked for."""
        return BytesMeter(intent.presumed)

    def pieces(self, told: Told, intent: Intent) -> Usage:  # noqa: ARG002 - for others to say more
        """What an answer comes to by the piece."""
        return intent.presumed

    def generated(self, told: Told, intent: Intent) -> int:  # noqa: ARG002 - for others to say more
        """Our own count of the tokens in an answer."""
        return 0


class OpenAIErrors:
    """Errors as OpenAI words them, and a prompt whose length is its bytes'."""

    def prompt_tokens(self, raw: bytes) -> int:
        """Estimate from the size of the body."""
        return presumed_tokens(len(raw))

    def error_body(self, error: GatewayError, request_id: str) -> bytes:
        """OpenAI's error object."""
        return openai_errors.error_body(error, request_id)

    def error_event(self, error: GatewayError, request_id: str) -> bytes:
        """OpenAI's error object as an event."""
        return sse.frame(openai_errors.error_body(error, request_id))
