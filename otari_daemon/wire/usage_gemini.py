"""Usage as Gemini's own API states it: thinking beside the candidates, sounds and pictures by modality."""

from __future__ import annotations

from typing import Any

from otari_daemon.domain.usage import Usage
from otari_daemon.wire.usage_format import AbsurdUsage, UsageFormat, count, rest

MODALITIES_MAX = 32


def normalize(stated: Any) -> Usage:
    """Read one `usageMetadata`. Raises AbsurdUsage.

    The prompt holds what was cached; tokens of tool results are prompt too. A total beyond all that is
    named was thought.
    """
    prompt, cached = count(stated, "promptTokenCount"), count(stated, "cachedContentTokenCount", 0)
    fetched = count(stated, "toolUsePromptTokenCount", 0)
    said, thought = count(stated, "candidatesTokenCount", 0), count(stated, "thoughtsTokenCount", 0)
    named = prompt + fetched + said + thought
    unnamed = rest(count(stated, "totalTokenCount", named), named)
    read, kept = _by_modality(stated, "promptTokensDetails"), _by_modality(stated, "cacheTokensDetails")
    made = _by_modality(stated, "candidatesTokensDetails")
    heard = max(0, read.get("AUDIO", 0) - kept.get("AUDIO", 0))
    seen = max(0, read.get("IMAGE", 0) - kept.get("IMAGE", 0))
    spoke, drawn = made.get("AUDIO", 0), made.get("IMAGE", 0)
    return Usage(
        input=rest(prompt, cached, heard, seen) + fetched,
        cache_read=cached,
        audio_input=heard,
        image_input=seen,
        output=rest(said, spoke, drawn),
        reasoning=thought + unnamed,
        audio_output=spoke,
        image_output=drawn,
        requests=1,
    )


def _by_modality(stated: Any, field: str) -> dict[str, int]:
    details = stated.get(field) or ()
    if not isinstance(details, list | tuple) or len(details) > MODALITIES_MAX:
        raise AbsurdUsage
    found: dict[str, int] = {}
    for part in details:
        tokens = count(part, "tokenCount", 0)
        kind = part.get("modality")
        if isinstance(kind, str):
            found[kind] = found.get(kind, 0) + tokens
    return found


GENERATE = UsageFormat(normalize, (("usageMetadata",),))
