"""Counting a Chat Completions prompt, for the cases where the provider does not."""

from __future__ import annotations

from typing import Any

import msgspec

from otari_daemon.domain.token_count import estimated_tokens

TEMPLATE_TOKENS = 4
"""What chat templates add around a message."""

MEDIA_TOKENS = 1024
"""For a picture, a sound or a file: about what providers count for a picture of a million pixels."""


def estimated(body: dict[str, Any]) -> int:
    """The tokens of all messages and tools of a body that `read_intent` has accepted."""
    tools = body.get("tools") or body.get("functions")
    declared = estimated_tokens(_json(tools)) if tools else 0
    return declared + sum(map(_message, body["messages"]))


def _message(message: dict[str, Any]) -> int:
    said = TEMPLATE_TOKENS + _content(message.get("content"))
    for name in ("tool_calls", "function_call", "reasoning_content"):
        part = message.get(name)
        if part:
            said += estimated_tokens(part if isinstance(part, str) else _json(part))
    return said


def _content(content: Any) -> int:
    if isinstance(content, str):
        return estimated_tokens(content)
    return sum(map(_part, content)) if isinstance(content, list) else 0


def _part(part: Any) -> int:
    """A part that has no text is a medium."""
    if isinstance(part, str):
        return estimated_tokens(part)
    text = part.get("text", part.get("refusal")) if isinstance(part, dict) else None
    return estimated_tokens(text) if isinstance(text, str) else MEDIA_TOKENS


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
