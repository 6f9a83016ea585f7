"""OpenAI's usage object, turned into classes that do not overlap, or refused when it cannot be true."""

from __future__ import annotations

from typing import Any

from otari_daemon.domain.usage import UNITS_MAX, Usage


class AbsurdUsage(ValueError):
    """Usage that contradicts itself or no request could have."""


def normalize(stated: Any) -> Usage:
    """Read `prompt_tokens`, `completion_tokens` and their details.

    Cached and audio tokens are part of the prompt. Reasoning is part of the completion unless the
    total, or its size where no total is given, shows that a provider counts it beside. Raises AbsurdUsage.
    """
    if not isinstance(stated, dict):
        raise AbsurdUsage
    prompt, completion = _count(stated, "prompt_tokens"), _count(stated, "completion_tokens")
    read = stated.get("prompt_tokens_details") or {}
    wrote = stated.get("completion_tokens_details") or {}
    cached, heard = _count(read, "cached_tokens", 0), _count(read, "audio_tokens", 0)
    thought, spoke = _count(wrote, "reasoning_tokens", 0), _count(wrote, "audio_tokens", 0)
    beside = prompt + completion + thought
    total = _count(stated, "total_tokens", beside if thought > completion else prompt + completion)
    if total == beside:
        completion += thought
    elif total != prompt + completion:
        raise AbsurdUsage
    if cached + heard > prompt or thought + spoke > completion:
        raise AbsurdUsage
    return Usage(
        input=prompt - cached - heard,
        cache_read=cached,
        audio_input=heard,
        output=completion - thought - spoke,
        reasoning=thought,
        audio_output=spoke,
        requests=1,
    )


def is_hollow(usage: Usage, said_bytes: int) -> bool:
    """Whether usage denies what happened: every request has a prompt, and what is said has tokens."""
    return usage.input_tokens == 0 or (usage.output_tokens == 0 and said_bytes > 0)


def _count(stated: Any, field: str, default: int | None = None) -> int:
    if not isinstance(stated, dict):
        raise AbsurdUsage
    value = stated.get(field)
    if value is None and default is not None:
        return default
    if type(value) is not int or not 0 <= value <= UNITS_MAX:
        raise AbsurdUsage
    return value
