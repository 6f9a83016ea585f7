"""Token counts in classes that do not overlap, and each wire's way of saying them.

Messages counts cached tokens beside `input_tokens`; Chat and Responses count them inside the prompt.
Reasoning is inside the output everywhere.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from otari_daemon.domain.usage import UNITS_MAX
from otari_daemon.wire.dialect import Body


class Counts(NamedTuple):
    """Tokens: prompt ones in three disjoint classes; `thought` is part of `output`."""

    uncached: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    thought: int = 0

    @property
    def prompt(self) -> int:
        """All prompt tokens, whatever they cost."""
        return self.uncached + self.cache_read + self.cache_write


def of_messages(stated: Any) -> Counts | None:
    """Read Messages usage; None when it cannot be true."""
    if not isinstance(stated, dict):
        return None
    found = [
        _count(stated.get("input_tokens")),
        _count(stated.get("cache_read_input_tokens")),
        _count(stated.get("cache_creation_input_tokens")),
        _count(stated.get("output_tokens")),
        _count(_detail(stated, "output_tokens_details", "thinking_tokens")),
    ]
    counts = Counts(*found)
    return None if min(found) < 0 or counts.thought > counts.output else counts


def of_chat(stated: Any) -> Counts | None:
    """Read Chat usage; None when it cannot be true.

    Reasoning that the total shows to be counted beside the completion joins the output.
    """
    if not isinstance(stated, dict):
        return None
    prompt, output = _count(stated.get("prompt_tokens")), _count(stated.get("completion_tokens"))
    read = _count(_detail(stated, "prompt_tokens_details", "cached_tokens"))
    write = _count(_detail(stated, "prompt_tokens_details", "cache_write_tokens"))
    thought = _count(_detail(stated, "completion_tokens_details", "reasoning_tokens"))
    total = stated.get("total_tokens")
    if thought > output or (thought and total == prompt + output + thought):
        output += thought
    if min(prompt, output, read, write, thought) < 0 or read + write > prompt:
        return None
    return Counts(prompt - read - write, read, write, output, thought)


def as_chat(counts: Counts) -> Body:
    """Chat usage: the prompt includes what was cached."""
    return {
        "prompt_tokens": counts.prompt,
        "completion_tokens": counts.output,
        "total_tokens": counts.prompt + counts.output,
        "prompt_tokens_details": {
            "cached_tokens": counts.cache_read,
            "cache_write_tokens": counts.cache_write,
        },
        "completion_tokens_details": {"reasoning_tokens": counts.thought},
    }


def as_messages(counts: Counts) -> Body:
    """Messages usage: the input excludes what was cached."""
    return {
        "input_tokens": counts.uncached,
        "cache_creation_input_tokens": counts.cache_write,
        "cache_read_input_tokens": counts.cache_read,
        "output_tokens": counts.output,
        "output_tokens_details": {"thinking_tokens": counts.thought},
    }


def as_responses(counts: Counts) -> Body:
    """Responses usage: the input includes what was cached."""
    return {
        "input_tokens": counts.prompt,
        "input_tokens_details": {
            "cached_tokens": counts.cache_read,
            "cache_write_tokens": counts.cache_write,
        },
        "output_tokens": counts.output,
        "output_tokens_details": {"reasoning_tokens": counts.thought},
        "total_tokens": counts.prompt + counts.output,
    }


def _detail(stated: Body, details: str, name: str) -> Any:
    found = stated.get(details)
    return found.get(name) if isinstance(found, dict) else None


def _count(value: Any) -> int:
    """A count; 0 when absent, -1 when it is none."""
    if value is None:
        return 0
    return value if type(value) is int and 0 <= value <= UNITS_MAX else -1
