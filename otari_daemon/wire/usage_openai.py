"""Usage as OpenAI states it, and as those do who speak its format with an accent.

Cached, written and audio tokens are part of the prompt. What differs is data: the names of the fields, and
what a provider means by a total that is more than prompt and completion.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from otari_daemon.domain.usage import Usage
from otari_daemon.wire.usage_format import AbsurdUsage, UsageFormat, count, rest, section


class Accent(NamedTuple):
    """How one provider differs.

    `thinks_beside`: reasoning is never part of the completion. `hides`: the class of tokens that stand
    in the total alone.
    """

    prompt: str = "prompt_tokens"
    completion: str = "completion_tokens"
    prompt_details: str = "prompt_tokens_details"
    completion_details: str = "completion_tokens_details"
    cached: str = "cached_tokens"
    thinks_beside: bool = False
    hides: str | None = None


class _Parts(NamedTuple):
    prompt: int
    completion: int
    cached: int
    written: int
    heard: int
    thought: int
    spoke: int


def normalize(stated: Any, accent: Accent = Accent()) -> Usage:  # noqa: B008 - a tuple, never changed
    """Read one usage object into classes that do not overlap. Raises AbsurdUsage.

    Where an accent does not say, reasoning is part of the completion unless the total, or its size where
    no total is given, shows that it is counted beside.
    """
    parts = _parts(stated, accent)
    completion, hidden = _resolved(stated, parts, accent)
    usage = Usage(
        input=rest(parts.prompt, parts.cached, parts.written, parts.heard),
        cache_read=parts.cached,
        cache_write=parts.written,
        audio_input=parts.heard,
        output=rest(completion, parts.thought, parts.spoke),
        reasoning=parts.thought,
        audio_output=parts.spoke,
        requests=1,
    )
    if accent.hides is None or not hidden:
        return usage
    return usage._replace(**{accent.hides: getattr(usage, accent.hides) + hidden})


def _parts(stated: Any, accent: Accent) -> _Parts:
    read, wrote = section(stated, accent.prompt_details), section(stated, accent.completion_details)
    cached = count(read, "cached_tokens", 0)
    return _Parts(
        count(stated, accent.prompt),
        count(stated, accent.completion),
        cached or count(stated, accent.cached, 0),
        count(read, "cache_write_tokens", 0),
        count(read, "audio_tokens", 0),
        count(wrote, "reasoning_tokens", 0),
        count(wrote, "audio_tokens", 0),
    )


def _resolved(stated: Any, parts: _Parts, accent: Accent) -> tuple[int, int]:
    """The completion with all that was thought, and what only the total shows."""
    inside, beside = parts.prompt + parts.completion, parts.prompt + parts.completion + parts.thought
    thinks_beside = accent.thinks_beside or parts.thought > parts.completion
    total = count(stated, "total_tokens", beside if thinks_beside else inside)
    if total == beside:
        return parts.completion + parts.thought, 0
    if total == inside and not accent.thinks_beside:
        return parts.completion, 0
    if accent.hides is not None and total > beside:
        return parts.completion + parts.thought, total - beside
    raise AbsurdUsage


CHAT = UsageFormat(normalize, (("usage",), ("x_groq", "usage")))
RESPONSES = UsageFormat(
    partial(
        normalize,
        accent=Accent("input_tokens", "output_tokens", "input_tokens_details", "output_tokens_details"),
    ),
    (("response", "usage"), ("usage",)),
)
XAI = UsageFormat(partial(normalize, accent=Accent(thinks_beside=True)))
GEMINI = UsageFormat(partial(normalize, accent=Accent(hides="reasoning")))
"""Gemini behind its OpenAI-compatible door: thinking shows in the total and nowhere else."""
DEEPSEEK = UsageFormat(partial(normalize, accent=Accent(cached="prompt_cache_hit_tokens")))


def read_mistral(stated: Any) -> Usage:
    """Sound is stated in seconds; its tokens show in the total alone."""
    seconds = count(stated, "prompt_audio_seconds", 0) if _is_count(stated, "prompt_audio_seconds") else 0
    usage = normalize(stated, Accent(hides="audio_input" if seconds else None))
    return usage._replace(seconds=seconds)


def _is_count(stated: Any, field: str) -> bool:
    """Whether a field states anything: Mistral writes an empty object for nothing."""
    return isinstance(stated, dict) and stated.get(field) not in (None, {})


MISTRAL = UsageFormat(read_mistral)


def of_timings(timings: Any) -> dict[str, int] | None:
    """The usage that llama.cpp's `timings` amount to: its prompt count leaves out what was cached."""
    if not isinstance(timings, dict):
        return None
    try:
        fresh, written = count(timings, "prompt_n"), count(timings, "predicted_n")
        cached = count(timings, "cache_n", 0)
    except AbsurdUsage:
        return None
    return {"prompt_tokens": fresh + cached, "completion_tokens": written, "cached_tokens": cached}
