"""A Responses request said as a Chat request."""

from __future__ import annotations

from typing import Any

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.fields import (
    Fields,
    Unsayable,
    forwarded,
    items,
    mapping,
    refuse,
    text,
    tokens,
    without_nulls,
    word,
)
from otari_daemon.wire.translate.foreign import CHAT_ONLY
from otari_daemon.wire.translate.responses_over_chat.conversation import chat_messages
from otari_daemon.wire.translate.responses_over_chat.tools import say_tools

_STATE = "needs answers that are stored, and none are; send the whole conversation as input"
_ELSEWHERE = "belongs to OpenAI's own service and cannot be had from this provider"

FIELDS = Fields(
    said=frozenset(
        {
            "include",
            "input",
            "instructions",
            "max_output_tokens",
            "model",
            "parallel_tool_calls",
            "reasoning",
            "stream",
            "text",
            "tool_choice",
            "tools",
        }
    ),
    dropped=frozenset({"max_tool_calls", "metadata", "store", "stream_options"}),
    refused={
        **CHAT_ONLY,
        "max_tokens": Unsayable("is called max_output_tokens in this wire"),
        "messages": Unsayable("is called input in this wire"),
        "reasoning_effort": Unsayable("is called reasoning.effort in this wire"),
        "verbosity": Unsayable("is called text.verbosity in this wire"),
        "previous_response_id": Unsayable(_STATE),
        "conversation": Unsayable(_STATE),
        "prompt": Unsayable(_ELSEWHERE),
        "background": Unsayable("must be false: answers are given at once", (False,)),
        "background_options": Unsayable("must be left out: answers are given at once"),
        "context_management": Unsayable(_ELSEWHERE),
        "truncation": Unsayable("must be disabled: nothing is cut from the input", ("disabled",)),
        "top_logprobs": Unsayable("cannot be had over this provider's wire", (0,)),
        "moderation": Unsayable(_ELSEWHERE),
        "access_programs": Unsayable(_ELSEWHERE),
        "image": Unsayable(_ELSEWHERE),
    },
)

_LOGPROBS = "message.output_text.logprobs"
_EFFORTS = {each: each for each in ("none", "minimal", "low", "medium", "high", "xhigh", "max")}


def chat_request(body: Body, model: str, output_limit: int | None, limit_field: str) -> Body:
    """The Chat request, whose limit is called `limit_field`. Raises InvalidRequest."""
    out = forwarded(body, FIELDS)
    out |= {"model": model, "messages": chat_messages(body.get("instructions"), body.get("input"))}
    limits = [tokens(body.get("max_output_tokens"), "max_output_tokens"), output_limit]
    known = [limit for limit in limits if limit is not None]
    if known:
        out[limit_field] = min(known)
    if body.get("stream"):
        out |= {"stream": True, "stream_options": {"include_usage": True}}
    if _LOGPROBS in items(body.get("include"), "include"):
        refuse("include", f"must not have {_LOGPROBS}, which this provider's wire cannot give")
    say_tools(out, body)
    _say_effort(out, body.get("reasoning"))
    _say_text(out, mapping(body.get("text") or {}, "text"))
    return out


def _say_effort(out: Body, reasoning: Any) -> None:
    effort = mapping(reasoning or {}, "reasoning").get("effort")
    if effort is not None:
        out["reasoning_effort"] = word(effort, "reasoning.effort", _EFFORTS)


def _say_text(out: Body, wanted: Body) -> None:
    if wanted.get("verbosity") is not None:
        out["verbosity"] = text(wanted["verbosity"], "text.verbosity")
    if wanted.get("format") is None:
        return
    shape = mapping(wanted["format"], "text.format")
    match shape.get("type"):
        case "text":
            return
        case "json_object":
            out["response_format"] = {"type": "json_object"}
        case "json_schema":
            named = {
                "name": text(shape.get("name"), "text.format.name"),
                "description": shape.get("description"),
                "schema": mapping(shape.get("schema"), "text.format.schema"),
                "strict": shape.get("strict"),
            }
            out["response_format"] = {"type": "json_schema", "json_schema": without_nulls(named)}
        case _:
            refuse("text.format.type", "must be text, json_object or json_schema")
