"""Usage as Anthropic's Messages state it: cached tokens stand beside the input, never in it.

A stream states it in `message_start`, and anew, as totals so far, in each `message_delta`.
"""

from __future__ import annotations

from operator import add
from typing import Any

from otari_daemon.domain.usage import Usage
from otari_daemon.wire.usage_format import AbsurdUsage, UsageFormat, count, rest, section

USUAL = frozenset({"standard", "global", "not_available"})
"""Words for what costs the plain price."""

ITERATIONS_MAX = 256
_BESIDE = frozenset({"compaction", "advisor_message"})
"""Kinds of `iterations` whose tokens the totals leave out."""


def normalize(stated: Any) -> Usage:
    """Read one usage object, or those of a stream put together by `later`. Raises AbsurdUsage.

    What was written to the cache without saying for how long was written for five minutes. What a provider
    did on the way, such as summing up a long conversation, is paid like the rest.
    """
    usage = _one(stated)
    iterations = stated.get("iterations") or ()
    if not isinstance(iterations, list | tuple) or len(iterations) > ITERATIONS_MAX:
        raise AbsurdUsage
    for each in iterations:
        if isinstance(each, dict) and each.get("type") in _BESIDE:
            usage = Usage(*map(add, usage, _one(each)._replace(requests=0)))
    return usage


def _one(stated: Any) -> Usage:
    written = count(stated, "cache_creation_input_tokens", 0)
    by_life = section(stated, "cache_creation")
    brief, long = (
        count(by_life, "ephemeral_5m_input_tokens", 0),
        count(by_life, "ephemeral_1h_input_tokens", 0),
    )
    unsaid = rest(written, brief, long) if written else 0
    return Usage(
        input=count(stated, "input_tokens"),
        cache_read=count(stated, "cache_read_input_tokens", 0),
        cache_write=brief + unsaid,
        cache_write_1h=long,
        output=count(stated, "output_tokens"),
        requests=1,
        tool_calls=count(section(stated, "server_tool_use"), "web_search_requests", 0),
    )


def service_of(stated: Any) -> str | None:
    """What a usage object says the request was served under, if that has a price of its own."""
    if not isinstance(stated, dict):
        return None
    for name in ("speed", "inference_geo", "service_tier"):
        served = stated.get(name)
        if isinstance(served, str) and served not in USUAL:
            return served
    tier = stated.get("service_tier")
    return tier if isinstance(tier, str) else None


MESSAGES = UsageFormat(normalize, (("message", "usage"), ("usage",)))
