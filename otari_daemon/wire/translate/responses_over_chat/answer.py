"""A whole Chat completion said as a Responses answer."""

from __future__ import annotations

from typing import Any

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.base import Asked
from otari_daemon.wire.translate.chat_said import Said, read_message
from otari_daemon.wire.translate.counts import as_responses, of_chat
from otari_daemon.wire.translate.fields import dicts, unreadable
from otari_daemon.wire.translate.responses_over_chat.tools import flat_tools

_CUT = {"length": "max_output_tokens", "content_filter": "content_filter"}
_TIERS = frozenset({"auto", "default", "flex", "scale", "priority", "fast"})
_REPEATED = (
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "reasoning",
    "safety_identifier",
    "temperature",
    "text",
    "top_p",
    "user",
)


def responses_answer(body: Body, asked: Asked) -> Body:
    """The Responses answer. Raises UpstreamFailed for a body without a choice."""
    choices = dicts(body.get("choices"))
    if not choices:
        raise unreadable("answer")
    said = read_message(choices[0].get("message"), asked.request_id)
    output = output_of(said, asked.request_id, status_of(choices[0].get("finish_reason")))
    return ended(response_head(asked), output, choices[0].get("finish_reason"), body)


def response_head(asked: Asked) -> Body:
    """A response that has just begun, with what it repeats of its request."""
    body = asked.body
    metadata = body.get("metadata")
    return {
        "id": f"resp_{asked.request_id}",
        "object": "response",
        "created_at": asked.created_s,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "model": asked.model,
        "output": [],
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": flat_tools(body.get("tools")),
        "metadata": metadata if isinstance(metadata, dict) else {},
        "previous_response_id": None,
        "store": False,
        "truncation": "disabled",
        "usage": None,
        **{name: body.get(name) for name in _REPEATED},
    }


def ended(head: Body, output: list[Body], finish: Any, answer: Body) -> Body:
    """The response at its end; `answer` has the provider's `usage` and `service_tier`."""
    counts = of_chat(answer.get("usage"))
    tier = answer.get("service_tier")
    cut = _CUT.get(finish) if isinstance(finish, str) else None
    return {
        **head,
        "status": status_of(finish),
        "incomplete_details": None if cut is None else {"reason": cut},
        "output": output,
        "usage": None if counts is None else as_responses(counts),
        **({"service_tier": tier} if isinstance(tier, str) and tier in _TIERS else {}),
    }


def status_of(finish: Any) -> str:
    """Whether a Chat finish reason leaves an answer `completed` or `incomplete`."""
    return "incomplete" if isinstance(finish, str) and finish in _CUT else "completed"


def output_of(said: Said, request_id: str, status: str) -> list[Body]:
    """A message as output items: reasoning, then words, then calls; each with its place in its id."""
    output: list[Body] = []
    if said.reasoning:
        output.append(reasoning_item(item_id("rs", request_id, 0), said.reasoning, status))
    if said.text or said.refusal or not said.calls:
        content = []
        if said.text or not said.refusal:
            content.append(text_part(said.text))
        if said.refusal:
            content.append(refusal_part(said.refusal))
        output.append(message_item(item_id("msg", request_id, len(output)), content, status))
    for call in said.calls:
        item = call_item(item_id("fc", request_id, len(output)), call.id, call.name, call.arguments)
        output.append({**item, "status": status})
    return output


def item_id(kind: str, request_id: str, index: int) -> str:
    """The id of the item at `index` of the output."""
    return f"{kind}_{request_id}_{index}"


def reasoning_item(ident: str, text: str, status: str) -> Body:
    """A reasoning item, whose text is shown in full."""
    content = [{"type": "reasoning_text", "text": text}] if text else []
    return {"type": "reasoning", "id": ident, "summary": [], "content": content, "status": status}


def message_item(ident: str, content: list[Body], status: str) -> Body:
    """A message of the assistant."""
    return {"type": "message", "id": ident, "role": "assistant", "content": content, "status": status}


def text_part(text: str) -> Body:
    """Written text."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def refusal_part(refusal: str) -> Body:
    """A refusal in words."""
    return {"type": "refusal", "refusal": refusal}


def call_item(ident: str, call_id: str, name: str, arguments: str) -> Body:
    """A function call."""
    return {
        "type": "function_call",
        "id": ident,
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
    }
