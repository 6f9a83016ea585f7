"""OpenAI Chat Completions: `POST /v1/chat/completions`."""

from __future__ import annotations

from typing import Any

import msgspec

from otari_daemon.domain.errors import GatewayError, InvalidRequest
from otari_daemon.domain.intent import Intent, OutputLimit, input_bound, presumed_tokens
from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.domain.usage import Usage
from otari_daemon.wire import chat_prompt, openai_errors, sse
from otari_daemon.wire.chat_stream import DONE, ChatMeter
from otari_daemon.wire.chat_text import generated_tokens
from otari_daemon.wire.dialect import Body, Reading, Way
from otari_daemon.wire.fields import (
    CHOICES_MAX,
    OUTPUT_TOKENS_MAX,
    flag,
    listed,
    model_of,
    positive,
    refuse_steering,
    service_of,
)
from otari_daemon.wire.messages_wire import MessagesWire
from otari_daemon.wire.strict_json import decode, replace_top_level
from otari_daemon.wire.translated import Translated
from otari_daemon.wire.usage_format import AbsurdUsage, UsageFormat, is_hollow
from otari_daemon.wire.usage_openai import of_timings

REACH = frozenset({"chat", "messages"})
MESSAGES_MAX = 4096
TOOLS_MAX = 256
_MEDIA_PARTS = ("image_url", "input_audio", "file", "video_url")  # a tuple takes any JSON


class _Answer(msgspec.Struct):
    usage: Any = None
    choices: Any = None
    error: Any = None
    timings: Any = None
    service_tier: Any = None


_answers = msgspec.json.Decoder(_Answer)


class ChatWire:
    """Chat Completions on both sides: bytes through, the model's name aside."""

    speaks = "chat"
    path = "/chat/completions"

    def outgoing(self, raw: bytes, body: Body, model: str, limit: OutputLimit | None) -> bytes:
        """The caller's body for `model`; a stream is asked for its usage, an unbounded answer is bounded."""
        changes: dict[str, Any] = {}
        if body["model"] != model:
            changes["model"] = model
        if body.get("stream"):
            options = body.get("stream_options") or {}
            if options.get("include_usage") is not True:
                changes["stream_options"] = {**options, "include_usage": True}
        if limit is not None:
            changes[limit.field] = limit.tokens
        return replace_top_level(raw, body, changes) if changes else raw

    def read_answer(self, answer: bytes, usage: UsageFormat, intent: Intent) -> Reading:  # noqa: ARG002 - a `Wire`
        """Usage of a whole answer; without believable usage, our own count of its text."""
        try:
            parsed = _answers.decode(answer)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return Reading(Consumption(None, presumed_tokens(len(answer))), Reason.ESTIMATED, broken=True)
        if parsed.choices is None and parsed.usage is None:
            return Reading(Consumption(), Reason.REFUSED, broken=True)
        service = parsed.service_tier if isinstance(parsed.service_tier, str) else None
        stated = parsed.usage if parsed.usage is not None else of_timings(parsed.timings)
        reason = Reason.ESTIMATED
        if stated is not None:
            found = _believable(stated, usage, parsed.choices)
            if found is not None:
                return Reading(Consumption(found, service=service), Reason.USAGE)
            reason = Reason.USAGE_INVALID
        return Reading(Consumption(None, generated_tokens(parsed.choices), service=service), reason)

    def meter(self, intent: Intent, usage: UsageFormat) -> ChatMeter:
        """A meter that hides the usage chunk from callers who did not ask for it."""
        return ChatMeter(intent.shows_usage, usage)


def _believable(stated: Any, usage: UsageFormat, choices: Any) -> Usage | None:
    """Usage as stated, unless it cannot be true; what was said is only counted where none is stated."""
    try:
        found = usage.read(stated)
    except AbsurdUsage:
        return None
    if is_hollow(found, 0) or (found.output_tokens == 0 and is_hollow(found, generated_tokens(choices))):
        return None
    return found


class ChatDialect:
    """Chat Completions as callers speak them."""

    endpoint = "/v1/chat/completions"
    wires: tuple[Way, ...] = (ChatWire(), Translated("chat", MessagesWire()))

    def read_intent(self, body: Body, body_bytes: int) -> Intent:
        """Check what policy needs; everything else is the provider's to judge."""
        refuse_steering(body)
        model = model_of(body)
        messages = _messages(body)
        listed(body, "tools", TOOLS_MAX)
        stream = flag(body, "stream")
        choices = max(positive(body, "n", CHOICES_MAX) or 1, positive(body, "best_of", CHOICES_MAX) or 1)
        return Intent(
            model=model,
            stream=stream,
            input_max=input_bound(body_bytes, len(messages), _remote_media(messages)),
            prompt_presumed=presumed_tokens(body_bytes),
            output_max=_output_max(body),
            choices=choices,
            shows_usage=_asks_for_usage(body, stream),
            service=service_of(body),
            reach=REACH,
        )

    def prompt_tokens(self, raw: bytes) -> int:
        """Estimate the prompt: what its messages say, and its tools as they are sent."""
        return chat_prompt.estimated(decode(raw))

    def error_body(self, error: GatewayError, request_id: str) -> bytes:
        """OpenAI's error object."""
        return openai_errors.error_body(error, request_id)

    def error_event(self, error: GatewayError, request_id: str) -> bytes:
        """OpenAI's error object as an event, then the end of the stream."""
        return sse.frame(openai_errors.error_body(error, request_id)) + DONE


def _messages(body: Body) -> list[Any]:
    messages = listed(body, "messages", MESSAGES_MAX)
    if not messages:
        raise InvalidRequest("messages must have at least one message", param="messages")
    for position, message in enumerate(messages):
        if not isinstance(message, dict):
            raise InvalidRequest(f"messages[{position}] must be an object", param="messages")
        if not isinstance(message.get("role"), str):
            raise InvalidRequest(f"messages[{position}]: 'role' is required", param="messages")
    return messages


def _remote_media(messages: list[Any]) -> int:
    """How many parts name media that we cannot size."""
    found = 0
    for message in messages:
        content = message.get("content")
        if isinstance(content, list):
            found += sum(1 for part in content if isinstance(part, dict) and part.get("type") in _MEDIA_PARTS)
    return found


def _output_max(body: Body) -> int | None:
    """The most tokens one choice may have; where both spellings are given, the larger binds the hold."""
    newer = positive(body, "max_completion_tokens", OUTPUT_TOKENS_MAX)
    older = positive(body, "max_tokens", OUTPUT_TOKENS_MAX)
    if newer is None or older is None:
        return newer or older
    return max(newer, older)


def _asks_for_usage(body: Body, stream: bool) -> bool:
    options = body.get("stream_options")
    if options is None:
        return False
    if not isinstance(options, dict):
        raise InvalidRequest("stream_options must be an object", param="stream_options")
    if not stream:
        raise InvalidRequest("stream_options goes with stream: true", param="stream_options")
    return flag(options, "include_usage")
