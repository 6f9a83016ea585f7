"""Anthropic Messages as callers speak them: `POST /v1/messages`."""

from __future__ import annotations

from otari_daemon.domain.errors import GatewayError
from otari_daemon.domain.intent import Intent, input_bound, presumed_tokens
from otari_daemon.wire import messages_errors, messages_intent, messages_text
from otari_daemon.wire.chat import ChatWire
from otari_daemon.wire.dialect import Body, Way
from otari_daemon.wire.fields import flag, model_of, refuse_steering
from otari_daemon.wire.messages_wire import MessagesWire
from otari_daemon.wire.strict_json import decode
from otari_daemon.wire.translated import Translated

REACH = frozenset({"messages", "chat"})


class MessagesDialect:
    """Messages, to providers that speak them, and to those that speak Chat."""

    endpoint = "/v1/messages"
    wires: tuple[Way, ...] = (MessagesWire(), Translated("messages", ChatWire()))

    def read_intent(self, body: Body, body_bytes: int) -> Intent:
        """Check what policy needs; everything else is the provider's to judge."""
        refuse_steering(body)
        messages_intent.refuse_unbounded(body)
        model = model_of(body)
        messages = messages_intent.messages_of(body)
        calls = messages_intent.server_calls(body)
        shown = messages_intent.media_of(body, messages)
        bound = input_bound(body_bytes, 1 + len(messages), shown) + messages_intent.tool_tokens(body, calls)
        summaries = messages_intent.summaries(body)
        return Intent(
            model=model,
            stream=flag(body, "stream"),
            input_max=bound * (1 + summaries),
            prompt_presumed=presumed_tokens(body_bytes),
            output_max=messages_intent.output_max_of(body) + summaries * messages_intent.SUMMARY_TOKENS,
            service=messages_intent.service_of(body),
            pieces=messages_intent.pieces_of(calls),
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
