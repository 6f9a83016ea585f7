"""Usage as Cohere's own API states it: what is billed stands apart from what was processed."""

from __future__ import annotations

from typing import Any

from otari_daemon.domain.usage import Usage
from otari_daemon.wire.usage_format import AbsurdUsage, UsageFormat, count, rest, section


def normalize(stated: Any) -> Usage:
    """Read `usage` of a chat or `meta` of a rerank. Raises AbsurdUsage.

    Billed units decide; processed tokens stand in where nothing is billed in tokens. A search unit is
    what a rerank is priced by, so it counts as a request.
    """
    billed, processed = section(stated, "billed_units"), section(stated, "tokens")
    searched = _whole(billed, "search_units", 0)
    counted = billed if "input_tokens" in billed or "output_tokens" in billed else processed
    if not counted and not searched:
        raise AbsurdUsage
    cached = _whole(stated, "cached_tokens", 0) if counted is processed else 0
    return Usage(
        input=rest(_whole(counted, "input_tokens", 0), cached),
        cache_read=cached,
        output=_whole(counted, "output_tokens", 0),
        requests=max(1, searched),
    )


def _whole(stated: Any, field: str, default: int) -> int:
    """A count that JSON may carry as 12.0, as Cohere's numbers come."""
    value = stated.get(field) if isinstance(stated, dict) else None
    if isinstance(value, float) and value.is_integer():
        return count({field: int(value)}, field)
    return count(stated, field, default)


CHAT = UsageFormat(normalize, (("usage",), ("delta", "usage"), ("meta",)))
