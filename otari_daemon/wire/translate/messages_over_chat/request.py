"""A Messages request said as a Chat request."""

from __future__ import annotations

from typing import Any

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.chat_over_messages.thinking import effort_of
from otari_daemon.wire.translate.fields import (
    Fields,
    Unsayable,
    forwarded,
    items,
    mapping,
    refuse,
    text,
    tokens,
    word,
)
from otari_daemon.wire.translate.foreign import CHAT_ONLY
from otari_daemon.wire.translate.messages_over_chat.conversation import chat_messages
from otari_daemon.wire.translate.messages_over_chat.tools import say_tools

_ELSEWHERE = "belongs to Anthropic's own service and cannot be had from this provider"

FIELDS = Fields(
    said=frozenset(
        {
            "max_tokens",
            "messages",
            "metadata",
            "model",
            "output_config",
            "output_format",
            "service_tier",
            "stop_sequences",
            "stream",
            "system",
            "thinking",
            "tool_choice",
            "tools",
        }
    ),
    dropped=frozenset({"betas", "cache_control", "diagnostics"}),
    refused={
        **CHAT_ONLY,
        "stream_options": Unsayable("is not a field of this wire"),
        "top_logprobs": Unsayable("asks for what an answer in this wire cannot show", (0,)),
        "container": Unsayable(_ELSEWHERE),
        "context_management": Unsayable(_ELSEWHERE),
        "inference_geo": Unsayable(_ELSEWHERE),
        "mcp_servers": Unsayable(_ELSEWHERE, ([],)),
        "speed": Unsayable(_ELSEWHERE, ("standard",)),
        "user_profile_id": Unsayable(_ELSEWHERE),
        "workspace_id": Unsayable(_ELSEWHERE),
    },
)

EFFORTS = {each: each for each in ("low", "medium", "high", "xhigh", "max")}
_THINKING = {each: each for each in ("enabled", "disabled", "adaptive", "between_tools")}
_TIERS = {"auto": "auto", "standard_only": "default"}


def chat_request(body: Body, model: str, output_limit: int | None, limit_field: str) -> Body:
    """The Chat request, whose limit is called `limit_field`. Raises InvalidRequest."""
    out = forwarded(body, FIELDS)
    messages = chat_messages(body.get("system"), items(body.get("messages"), "messages"))
    out |= {"model": model, "messages": messages}
    limits = [tokens(body.get("max_tokens"), "max_tokens"), output_limit]
    known = [limit for limit in limits if limit is not None]
    if known:
        out[limit_field] = min(known)
    if body.get("stream"):
        out |= {"stream": True, "stream_options": {"include_usage": True}}
    say_tools(out, body)
    _say_small_things(out, body)
    config = mapping(body.get("output_config") or {}, "output_config")
    _say_effort(out, body.get("thinking"), config.get("effort"))
    _say_format(out, config.get("format"), "output_config.format")
    _say_format(out, body.get("output_format"), "output_format")
    return out


def _say_small_things(out: Body, body: Body) -> None:
    stops = items(body.get("stop_sequences"), "stop_sequences")
    if stops:
        out["stop"] = [text(each, f"stop_sequences[{at}]") for at, each in enumerate(stops)]
    user = mapping(body.get("metadata") or {}, "metadata").get("user_id")
    if user is not None:
        out["user"] = text(user, "metadata.user_id")
    if body.get("service_tier") is not None:
        out["service_tier"] = word(body["service_tier"], "service_tier", _TIERS)


def _say_effort(out: Body, thinking: Any, effort: Any) -> None:
    """Effort as stated, else as the budget shows; `disabled` is what a chat model does when unasked."""
    kind = None
    if thinking is not None:
        kind = word(mapping(thinking, "thinking").get("type"), "thinking.type", _THINKING)
    if effort is not None:
        out["reasoning_effort"] = word(effort, "output_config.effort", EFFORTS)
    elif kind == "enabled":
        budget = tokens(thinking.get("budget_tokens"), "thinking.budget_tokens")
        if budget is None:
            refuse("thinking.budget_tokens", "is required where thinking is enabled")
        out["reasoning_effort"] = effort_of(budget)


def _say_format(out: Body, wanted: Any, path: str) -> None:
    if wanted is None:
        return
    if mapping(wanted, path).get("type") != "json_schema":
        refuse(f"{path}.type", "must be json_schema")
    schema = mapping(wanted.get("schema"), f"{path}.schema")
    named = {"name": "answer", "schema": schema, "strict": True}
    out["response_format"] = {"type": "json_schema", "json_schema": named}
