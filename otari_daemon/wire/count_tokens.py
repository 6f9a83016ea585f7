"""Counting a Messages prompt: `POST /v1/messages/count_tokens`. Its hold is nothing, and so is its charge."""

from __future__ import annotations

from typing import Any

import msgspec

from otari_daemon.domain.errors import GatewayError
from otari_daemon.domain.intent import Intent, OutputLimit
from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.domain.usage import NOTHING
from otari_daemon.wire import messages_errors, messages_intent, messages_text
from otari_daemon.wire.dialect import Body, Meter, Oracle, Reading, Way
from otari_daemon.wire.fields import model_of, refuse_steering
from otari_daemon.wire.messages_wire import MessagesWire
from otari_daemon.wire.strict_json import decode
from otari_daemon.wire.usage_format import UsageFormat

ASKED = MessagesWire()
REACH = frozenset({"messages", "chat", "responses"})


class _Count(msgspec.Struct):
    input_tokens: Any = None


_counts = msgspec.json.Decoder(_Count)


class CountTokensWire:
    """Asks a provider that counts for itself."""

    speaks = "messages"
    path = "/messages/count_tokens"

    def outgoing(self, raw: bytes, body: Body, model: str, limit: OutputLimit | None) -> bytes:  # noqa: ARG002
        """The caller's body for `model`; a count has no output to limit."""
        return ASKED.outgoing(raw, body, model, None)

    def read_answer(self, answer: bytes, usage: UsageFormat, intent: Intent) -> Reading:  # noqa: ARG002 - a `Wire`
        """Nothing was used; an answer without a count is none."""
        try:
            counted = _counts.decode(answer).input_tokens
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            counted = None
        if type(counted) is not int:
            return Reading(Consumption(), Reason.REFUSED, broken=True)
        return Reading(Consumption(NOTHING), Reason.USAGE)

    def meter(self, intent: Intent, usage: UsageFormat) -> Meter:
        """Counts are never streamed: `read_intent` says so."""
        return ASKED.meter(intent, usage)


class Estimate(Oracle):
    """Our own count, for a provider that has none."""

    def __init__(self, speaks: str) -> None:
        self.speaks = speaks

    def answer(self, body: Body) -> bytes:
        """`{"input_tokens"}` as JSON."""
        return msgspec.json.encode({"input_tokens": messages_text.prompt_tokens(body)})


class CountTokensDialect:
    """Counts of prompts, by the provider if it can, else by us."""

    endpoint = "/v1/messages/count_tokens"
    wires: tuple[Way, ...] = (CountTokensWire(), Estimate("chat"), Estimate("responses"))

    def read_intent(self, body: Body, body_bytes: int) -> Intent:  # noqa: ARG002 - a `Dialect`
        """A request whose tokens cost nothing, so none are held for: no input, no choice of answers."""
        refuse_steering(body)
        messages_intent.refuse_unbounded(body)
        model = model_of(body)
        messages_intent.messages_of(body)
        return Intent(
            model=model,
            stream=False,
            input_max=0,
            prompt_presumed=0,
            output_max=1,
            choices=0,
            pieces=NOTHING,
            reach=REACH,
        )

    def prompt_tokens(self, raw: bytes) -> int:
        """Estimate the prompt: system, turns and tools."""
        return messages_text.prompt_tokens(decode(raw))

    def error_body(self, error: GatewayError, request_id: str) -> bytes:
        """Anthropic's error object."""
        return messages_errors.error_body(error, request_id)

    def error_event(self, error: GatewayError, request_id: str) -> bytes:
        """Anthropic's error object as an event."""
        return messages_errors.error_event(error, request_id)
