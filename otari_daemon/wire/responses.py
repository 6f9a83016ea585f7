"""OpenAI Responses: `POST /v1/responses`. What a provider would have to remember is not asked of it."""

from __future__ import annotations

from typing import Any

import msgspec

from otari_daemon.domain.errors import GatewayError, InvalidRequest
from otari_daemon.domain.intent import Intent, OutputLimit, input_bound, presumed_tokens
from otari_daemon.domain.pricing import ONE_REQUEST
from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.domain.usage import Usage
from otari_daemon.wire import openai_errors, responses_items
from otari_daemon.wire.chat import ChatWire
from otari_daemon.wire.dialect import Body, Reading, Way
from otari_daemon.wire.fields import (
    OUTPUT_TOKENS_MAX,
    flag,
    listed,
    model_of,
    positive,
    refuse_steering,
    service_of,
)
from otari_daemon.wire.responses_stream import ResponsesMeter
from otari_daemon.wire.responses_tools import read_tools
from otari_daemon.wire.strict_json import decode, replace_top_level
from otari_daemon.wire.translated import Translated
from otari_daemon.wire.usage_format import AbsurdUsage, UsageFormat, is_hollow

REACH = frozenset({"responses", "chat"})
LIMIT_FIELD = "max_output_tokens"
ITEMS_MAX = 4096

BUILT_IN_TOKENS = 4096
"""More than a provider's own declaration of one of its tools has."""

RECALLED_TOKENS = 131_072
"""Held for reasoning that is named and not sent: as much as a model thinks in one response."""

CONTEXT_TOKENS = 2 << 20
"""Held for each round of a model with tools of the provider's: what they find can fill its whole context,
and no model's is larger. A price that knows the model's own context lowers this."""

_REMEMBERED = ("previous_response_id", "conversation", "prompt", "context_management")
_REMEMBERED_ITEMS = ("item_reference", "compaction_trigger")


class _Answer(msgspec.Struct):
    usage: Any = None
    output: Any = None
    error: Any = None
    service_tier: Any = None


_answers = msgspec.json.Decoder(_Answer)


class ResponsesWire:
    """Responses on both sides: bytes through, the model's name aside."""

    speaks = "responses"
    path = "/responses"

    def outgoing(self, raw: bytes, body: Body, model: str, limit: OutputLimit | None) -> bytes:
        """The caller's body for `model`; unbounded output, and calls of the provider's tools, are bounded."""
        changes: dict[str, Any] = {}
        if body["model"] != model:
            changes["model"] = model
        if limit is not None:
            changes[LIMIT_FIELD] = limit.tokens
        if body.get("max_tool_calls") is None:
            calls = read_tools(body).calls
            if calls:
                changes["max_tool_calls"] = calls
        return replace_top_level(raw, body, changes) if changes else raw

    def read_answer(self, answer: bytes, usage: UsageFormat, intent: Intent) -> Reading:  # noqa: ARG002 - a `Wire`
        """Usage of a whole answer; without believable usage, our own count of its text."""
        try:
            parsed = _answers.decode(answer)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return Reading(Consumption(None, presumed_tokens(len(answer))), Reason.ESTIMATED, broken=True)
        if parsed.output is None and parsed.usage is None:
            return Reading(Consumption(), Reason.REFUSED, broken=True)
        return _judged(parsed, usage)

    def meter(self, intent: Intent, usage: UsageFormat) -> ResponsesMeter:  # noqa: ARG002 - a `Wire`
        """A meter for one stream."""
        return ResponsesMeter(usage)


class ResponsesDialect:
    """Responses as callers speak them."""

    endpoint = "/v1/responses"
    wires: tuple[Way, ...] = (ResponsesWire(), Translated("responses", ChatWire()))

    def read_intent(self, body: Body, body_bytes: int) -> Intent:
        """Check what policy needs; everything else is the provider's to judge."""
        refuse_steering(body)
        model = model_of(body)
        _refuse_remembered(body)
        items = _items(body)
        tools = read_tools(body)
        sent = input_bound(body_bytes, 1 + len(items), sum(map(responses_items.media_in, items)))
        sent += RECALLED_TOKENS * sum(map(_is_recalled, items)) + BUILT_IN_TOKENS * tools.built_in
        rounds = 1 + tools.calls
        return Intent(
            model=model,
            stream=flag(body, "stream"),
            input_max=rounds * CONTEXT_TOKENS if tools.calls else sent,
            prompt_presumed=presumed_tokens(body_bytes),
            output_max=positive(body, LIMIT_FIELD, OUTPUT_TOKENS_MAX),
            service=service_of(body),
            pieces=Usage(requests=1, tool_calls=tools.charged_calls) if tools.charged_calls else ONE_REQUEST,
            reach=REACH,
            rounds=rounds,
        )

    def prompt_tokens(self, raw: bytes) -> int:
        """Estimate the prompt: instructions, input and tools."""
        return responses_items.prompt_tokens(decode(raw))

    def error_body(self, error: GatewayError, request_id: str) -> bytes:
        """OpenAI's error object."""
        return openai_errors.error_body(error, request_id)

    def error_event(self, error: GatewayError, request_id: str) -> bytes:
        """The event `error`, as documented and, in `error`, as clients raise it."""
        told = {"type": error.type, "code": error.code, "message": error.message, "param": error.param}
        event = {**told, "type": "error", "sequence_number": 0, "error": told, "request_id": request_id}
        return b"event: error\ndata: " + msgspec.json.encode(event) + b"\n\n"


def _judged(parsed: _Answer, usage: UsageFormat) -> Reading:
    """The provider's usage when it can be true, else our count of what the output says."""
    service = parsed.service_tier if isinstance(parsed.service_tier, str) else None
    calls = responses_items.charged_calls(responses_items.items_of(parsed.output))
    generated = responses_items.generated_tokens(parsed.output)
    counted = Consumption(None, generated, service=service, tool_calls=calls)
    if parsed.usage is None:
        return Reading(counted, Reason.ESTIMATED if parsed.error is None else Reason.UPSTREAM_CUT)
    try:
        found = usage.read(parsed.usage)
    except AbsurdUsage:
        return Reading(counted, Reason.USAGE_INVALID)
    if is_hollow(found, generated):
        return Reading(counted, Reason.USAGE_INVALID)
    return Reading(Consumption(found._replace(tool_calls=calls), service=service), Reason.USAGE)


def _refuse_remembered(body: Body) -> None:
    """Refuse what the provider would bring along, or go on with alone: neither has a bound."""
    if flag(body, "background"):
        raise InvalidRequest("background is not served: ask with stream, or wait", param="background")
    for field in _REMEMBERED:
        if body.get(field):
            raise InvalidRequest(
                f"{field} is not served, for what it brings cannot be bounded; send the input whole",
                param=field,
            )


def _items(body: Body) -> list[Any]:
    """The input's items; none when it is a text."""
    said = body.get("input")
    if isinstance(said, str):
        return []
    items = listed(body, "input", ITEMS_MAX)
    if not items:
        raise InvalidRequest("input is required: a text, or an array of items", param="input")
    for position, item in enumerate(items):
        if not isinstance(item, dict):
            raise InvalidRequest(f"input[{position}] must be an object", param="input")
        if _is_remembered(item):
            raise InvalidRequest(f"input[{position}] names what is not sent; send it whole", param="input")
    return items


def _is_remembered(item: dict[str, Any]) -> bool:
    """Whether an item stands for others; one with nothing but an id does too."""
    kind = item.get("type")
    return kind in _REMEMBERED_ITEMS if kind is not None else "role" not in item and "id" in item


def _is_recalled(item: dict[str, Any]) -> bool:
    """Whether an item is reasoning that the provider has kept."""
    return item.get("type") == "reasoning" and not item.get("encrypted_content")
