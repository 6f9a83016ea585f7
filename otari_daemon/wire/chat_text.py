"""Counting what a model generated, for the cases where the provider does not say."""

from __future__ import annotations

from typing import Any

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
    total = 0
    for field in _TEXT_FIELDS:
        value = message.get(field)
        if isinstance(value, str):
            total += len(value.encode(errors="replace"))
    for call in message.get("tool_calls") or ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            total += sum(len(value) for value in function.values() if isinstance(value, str))
    return total
