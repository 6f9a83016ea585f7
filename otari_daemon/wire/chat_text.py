"""Counting what a model generated, for the cases where the provider does not say."""

from __future__ import annotations

from typing import Any

import msgspec

from otari_daemon.domain.intent import presumed_tokens
from otari_daemon.domain.token_count import estimated_tokens

TOKEN_BYTES_MAX = 6
"""Deltas of more than this on average hold several tokens each: a token of English has four to five bytes."""

_TEXT_FIELDS = ("content", "reasoning_content", "reasoning", "refusal")


def generated_tokens(choices: Any) -> int:
    """Estimate the output tokens of a whole answer's choices."""
    if not isinstance(choices, list):
        return 0
    return sum(_written_tokens(choice.get("message")) for choice in choices if isinstance(choice, dict))


def streamed_tokens(deltas: int, said_bytes: int) -> int:
    """Estimate the output tokens of a stream: one per delta while deltas are as short as tokens are."""
    if said_bytes <= deltas * TOKEN_BYTES_MAX:
        return deltas
    return max(deltas, presumed_tokens(said_bytes))


def _written_tokens(message: Any) -> int:
    """What a message says, estimated from its text where it is text, and from its length otherwise."""
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, str):
        return presumed_tokens(written_bytes(message))
    return estimated_tokens(content) + presumed_tokens(written_bytes({**message, "content": None}))


def written_bytes(message: Any) -> int:
    """UTF-8 bytes a message or delta says: text, thought, refusal, and the calls it makes."""
    if not isinstance(message, dict):
        return 0
    texts = sum(text_bytes(message.get(field)) for field in _TEXT_FIELDS)
    calls = called_bytes(message.get("tool_calls")) + called_bytes([{"": message.get("function_call")}])
    return texts + calls


def text_bytes(value: Any) -> int:
    """UTF-8 bytes of a text, or of any other value as JSON: odd shapes are counted, never skipped."""
    if not value:
        return 0
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode(errors="replace"))
    return len(msgspec.json.encode(value))


def called_bytes(calls: Any) -> int:
    """UTF-8 bytes of the names and arguments of tool calls, whatever kind of tool they are for."""
    total = 0
    for call in calls if isinstance(calls, list) else ():
        for part in call.values() if isinstance(call, dict) else ():
            if isinstance(part, dict):
                total += sum(map(text_bytes, part.values()))
    return total
