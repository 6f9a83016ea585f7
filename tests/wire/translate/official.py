"""The official SDKs' type models, as judges of what we translate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from anthropic.types import Message, MessageCreateParams, RawMessageStreamEvent
from openai.types.chat import ChatCompletion, ChatCompletionChunk, CompletionCreateParams
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

_ANSWERS: dict[str, TypeAdapter[Any]] = {
    "chat": TypeAdapter(ChatCompletion),
    "messages": TypeAdapter(Message),
    "responses": TypeAdapter(Response),
}
_EVENTS: dict[str, TypeAdapter[Any]] = {
    "chat": TypeAdapter(ChatCompletionChunk),
    "messages": TypeAdapter(RawMessageStreamEvent),
    "responses": TypeAdapter(ResponseStreamEvent),
}
_REQUESTS: dict[str, TypeAdapter[Any]] = {
    "chat": TypeAdapter(MessageCreateParams),
    "messages": TypeAdapter(CompletionCreateParams),
    "responses": TypeAdapter(CompletionCreateParams),
}


def accept_answer(wire: str, answer: dict[str, Any]) -> None:
    """Raise unless the SDK of `wire` reads this as its answer."""
    _ANSWERS[wire].validate_python(answer)


def accept_events(wire: str, events: list[Any]) -> None:
    """Raise unless the SDK of `wire` reads each of these as one of its events."""
    for event in events:
        if event != "[DONE]" and event.get("type") != "ping":
            _EVENTS[wire].validate_python(event)


def accept_provider_request(wire: str, request: dict[str, Any]) -> None:
    """Raise unless the SDK of the provider's wire would send this for a caller of `wire`."""
    _exhaust(_REQUESTS[wire].validate_python(request))


def _exhaust(value: Any) -> None:
    """Walk a validated value: pydantic validates iterables as they are walked."""
    if isinstance(value, dict):
        for each in value.values():
            _exhaust(each)
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for each in value:
            _exhaust(each)
