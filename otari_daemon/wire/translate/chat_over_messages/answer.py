"""A whole Messages answer said as a Chat completion."""

from __future__ import annotations

from typing import Any

import msgspec

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.base import Asked
from otari_daemon.wire.translate.chat_over_messages.conversation import THOUGHT_FIELDS
from otari_daemon.wire.translate.counts import as_chat, of_messages
from otari_daemon.wire.translate.fields import dicts, string_or, unreadable, without_nulls

THOUGHTS = ("thinking", "redacted_thinking")
_TIERS = {"standard": "default", "priority": "priority"}
_FINISHES = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def chat_answer(body: Body, asked: Asked) -> Body:
    """The Chat completion. Raises UpstreamFailed for a body without content."""
    if not isinstance(body.get("content"), list):
        raise unreadable("answer")
    message = _message(dicts(body["content"]))
    counts = of_messages(body.get("usage"))
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": finish_of(body.get("stop_reason")),
    }
    answer = {
        "id": string_or(body.get("id"), f"chatcmpl-{asked.request_id}"),
        "object": "chat.completion",
        "created": asked.created_s,
        "model": asked.model,
        "choices": [choice],
    }
    if counts is not None:
        answer["usage"] = as_chat(counts)
    tier = tier_of(body.get("usage"))
    return answer if tier is None else {**answer, "service_tier": tier}


def finish_of(stop_reason: Any) -> str:
    """Chat's word for Messages' reason to stop; one that is not known is a plain stop."""
    return _FINISHES.get(stop_reason, "stop") if isinstance(stop_reason, str) else "stop"


def tier_of(usage: Any) -> str | None:
    """Chat's word for the service tier that Messages usage names."""
    tier = usage.get("service_tier") if isinstance(usage, dict) else None
    return _TIERS.get(tier) if isinstance(tier, str) else None


def thought_of(block: Body) -> Body:
    """A thought with all that makes it valid when it is sent back."""
    return without_nulls({name: block.get(name) for name in THOUGHT_FIELDS})


def call_of(block: Body) -> Body:
    """A tool call without its arguments."""
    name = string_or(block.get("name"), "unnamed")
    return {"id": string_or(block.get("id"), name), "type": "function", "function": {"name": name}}


def _message(blocks: list[Body]) -> Body:
    written = "".join(string_or(each.get("text")) for each in blocks if each.get("type") == "text")
    reasoned = "".join(string_or(each.get("thinking")) for each in blocks if each.get("type") == "thinking")
    thoughts = [thought_of(each) for each in blocks if each.get("type") in THOUGHTS]
    calls = [_whole_call(each) for each in blocks if each.get("type") == "tool_use"]
    message: Body = {"role": "assistant", "content": written or (None if calls else ""), "refusal": None}
    if thoughts:
        message |= {"reasoning_content": reasoned, "thinking_blocks": thoughts}
    if calls:
        message["tool_calls"] = calls
    return message


def _whole_call(block: Body) -> Body:
    call = call_of(block)
    given = block.get("input")
    call["function"]["arguments"] = msgspec.json.encode(given if isinstance(given, dict) else {}).decode()
    return call
