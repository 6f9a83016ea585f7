"""Sizing the items of a response: what one that was made says, and what one that is sent comes to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from otari_daemon.domain.intent import presumed_tokens
from otari_daemon.domain.token_count import estimated_tokens
from otari_daemon.wire.chat_prompt import MEDIA_TOKENS, TEMPLATE_TOKENS
from otari_daemon.wire.chat_text import text_bytes

_MEDIA_PARTS = ("input_image", "input_audio", "input_file", "computer_screenshot")  # a tuple takes any JSON
_WRITTEN = ("name", "arguments", "input", "code", "action", "operation", "encrypted_content")
"""What a model writes in an item that is no message; results of tools stand in other members."""

_SENT = (*_WRITTEN, "summary", "result", "results", "tools")


def items_of(value: Any) -> list[dict[str, Any]]:
    """The objects of an array, of whatever else it holds and whatever else it may be."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def written_bytes(item: dict[str, Any]) -> int:
    """UTF-8 bytes of all that the model wrote in one item of an output."""
    parts = [*items_of(item.get("content")), *items_of(item.get("summary"))]
    said = sum(text_bytes(part.get("text")) + text_bytes(part.get("refusal")) for part in parts)
    return said + sum(text_bytes(item.get(name)) for name in _WRITTEN)


def generated_tokens(output: Any) -> int:
    """Estimate the tokens of a whole output: from its text where there is text, else from its length."""
    total = 0
    for item in items_of(output):
        texts = [part.get("text") for part in items_of(item.get("content"))]
        spoken = [text for text in texts if isinstance(text, str)]
        said_bytes = sum(map(text_bytes, spoken))
        total += sum(map(estimated_tokens, spoken)) + presumed_tokens(written_bytes(item) - said_bytes)
    return total


def charged_calls(output: Iterable[dict[str, Any]]) -> int:
    """How many items are calls that a provider charges for; opening a page it has found is free."""
    return sum(1 for item in output if _is_charged(item))


def _is_charged(item: dict[str, Any]) -> bool:
    kind = item.get("type")
    if kind == "web_search_call":
        action = item.get("action")
        return not isinstance(action, dict) or action.get("type", "search") == "search"
    return kind in ("file_search_call", "code_interpreter_call")


def media_in(item: dict[str, Any]) -> int:
    """How many pictures, sounds and files an item of an input names or holds."""
    output = item.get("output")
    parts = [*items_of(item.get("content")), *(items_of([output]) or items_of(output))]
    return sum(1 for part in parts if part.get("type") in _MEDIA_PARTS)


def prompt_tokens(body: dict[str, Any]) -> int:
    """Estimate the tokens of instructions, input and tools of a body that `read_intent` has accepted."""
    tools, said = body.get("tools"), body["input"]
    total = estimated_tokens(_json(tools)) if tools else 0
    if isinstance(body.get("instructions"), str):
        total += TEMPLATE_TOKENS + estimated_tokens(body["instructions"])
    if isinstance(said, str):
        return total + TEMPLATE_TOKENS + estimated_tokens(said)
    return total + sum(map(_item, items_of(said)))


def _item(item: dict[str, Any]) -> int:
    tokens = TEMPLATE_TOKENS + _content(item.get("content")) + _content(item.get("output"))
    for name in _SENT:
        part = item.get(name)
        if part:
            tokens += estimated_tokens(part if isinstance(part, str) else _json(part))
    return tokens


def _content(content: Any) -> int:
    if isinstance(content, str):
        return estimated_tokens(content)
    return sum(map(_part, items_of([content]) or items_of(content)))


def _part(part: dict[str, Any]) -> int:
    """A part that has no text is a medium."""
    text = part.get("text", part.get("refusal"))
    return estimated_tokens(text) if isinstance(text, str) else MEDIA_TOKENS


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
