"""Counting what a model generated, for the cases where the provider does not say."""

from __future__ import annotations

from typing import Any

import msgspec

from otari_daemon.domain.intent import presumed_tokens

_TEXT_FIELDS = ("content", "reasoning_content", "reasoning", "refusal")


def generated_tokens(choices: Any) -> int:
    """Estimate the output tokens of a whole answer's choices."""
    if not isinstance(choices, list):
        return 0
    written = sum(written_bytes(choice.get("message")) for choice in choices if isinstance(choice, dict))
    return presumed_tokens(written)


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
