"""A Chat request said as a Messages request."""

from __future__ import annotations

from typing import Any

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.chat_over_messages.conversation import split_conversation
from otari_daemon.wire.translate.chat_over_messages.thinking import thinking_of
from otari_daemon.wire.translate.chat_over_messages.tools import tool_choice_of, tools_of
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
from otari_daemon.wire.translate.foreign import MESSAGES_ONLY

_NO_TOOLS = "is the old way to call functions; use tools"

FIELDS = Fields(
    said=frozenset(
        {
            "max_completion_tokens",
            "max_tokens",
            "messages",
            "model",
            "parallel_tool_calls",
            "reasoning_effort",
            "response_format",
            "safety_identifier",
            "service_tier",
            "stop",
            "stream",
            "temperature",
            "tool_choice",
            "tools",
            "user",
        }
    ),
    dropped=frozenset(
        {
            "metadata",
            "prediction",
            "prompt_cache_key",
            "prompt_cache_options",
            "prompt_cache_retention",
            "seed",
            "stream_options",
        }
    ),
    refused={
        **MESSAGES_ONLY,
        "n": Unsayable("must be 1: this provider gives one answer to a request", (1,)),
        "best_of": Unsayable("must be 1: this provider gives one answer to a request", (1,)),
        "logprobs": Unsayable("cannot be had from this provider", (False,)),
        "top_logprobs": Unsayable("cannot be had from this provider", (0,)),
        "logit_bias": Unsayable("cannot be had from this provider", ({},)),
        "frequency_penalty": Unsayable("cannot be had from this provider", (0,)),
        "presence_penalty": Unsayable("cannot be had from this provider", (0,)),
        "functions": Unsayable(_NO_TOOLS, ([],)),
        "function_call": Unsayable(_NO_TOOLS, ("none", "auto")),
        "modalities": Unsayable("must be ['text']: this provider writes text only", (["text"],)),
        "audio": Unsayable("cannot be had: this provider writes text only"),
        "store": Unsayable("must be false: this provider stores no answers", (False,)),
        "verbosity": Unsayable("cannot be told to this provider; ask for it in a message", ("medium",)),
        "web_search_options": Unsayable("cannot be told to this provider; declare a tool", ()),
        "moderation": Unsayable("cannot be had from this provider"),
    },
)

_TIERS = {"auto": "auto", "default": "standard_only"}


def messages_request(body: Body, model: str, output_limit: int | None) -> Body:
    """The Messages request. Raises InvalidRequest."""
    out = forwarded(body, FIELDS)
    system, messages = split_conversation(items(body.get("messages"), "messages"))
    most = _max_tokens(body, output_limit)
    out |= {"model": model, "max_tokens": most, "messages": messages}
    if system:
        out["system"] = system
    if body.get("stream"):
        out["stream"] = True
    _say_tools(out, body)
    _say_sampling(out, body)
    _say_format(out, body.get("response_format"))
    thinking = thinking_of(body.get("reasoning_effort"), most, out)
    if thinking is not None:
        out.setdefault("thinking", thinking)
    return out


def _max_tokens(body: Body, output_limit: int | None) -> int:
    newer = tokens(body.get("max_completion_tokens"), "max_completion_tokens")
    older = tokens(body.get("max_tokens"), "max_tokens")
    known = [limit for limit in (newer or older, output_limit) if limit is not None]
    if not known:
        refuse("max_completion_tokens", "is needed by this provider")
    return min(known)


def _say_tools(out: Body, body: Body) -> None:
    tools = tools_of(items(body.get("tools"), "tools"))
    if tools:
        out["tools"] = tools
    choice = tool_choice_of(body.get("tool_choice"), body.get("parallel_tool_calls"), bool(tools))
    if choice is not None:
        out["tool_choice"] = choice


def _say_sampling(out: Body, body: Body) -> None:
    temperature = body.get("temperature")
    if temperature is not None:
        if not isinstance(temperature, int | float) or not 0 <= temperature <= 1:
            refuse("temperature", "must be a number from 0 to 1 for this provider")
        out["temperature"] = temperature
    stop = body.get("stop")
    if stop is not None:
        several = [stop] if isinstance(stop, str) else items(stop, "stop")
        out["stop_sequences"] = [text(each, f"stop[{at}]") for at, each in enumerate(several)]
    if body.get("service_tier") is not None:
        out["service_tier"] = word(body["service_tier"], "service_tier", _TIERS)
    user = body.get("safety_identifier") or body.get("user")
    if user is not None:
        out["metadata"] = {"user_id": text(user, "user")}


def _say_format(out: Body, wanted: Any) -> None:
    if wanted is None:
        return
    kind = mapping(wanted, "response_format").get("type")
    if kind == "text":
        return
    if kind != "json_schema":
        refuse("response_format.type", "must be text or json_schema for this provider")
    named = mapping(wanted.get("json_schema"), "response_format.json_schema")
    schema = mapping(named.get("schema"), "response_format.json_schema.schema")
    config = mapping(out.get("output_config") or {}, "output_config")
    out["output_config"] = {**config, "format": {"type": "json_schema", "schema": schema}}
