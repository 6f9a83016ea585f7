"""A whole Chat completion said as a Messages answer."""

from __future__ import annotations

from typing import Any

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.base import Asked
from otari_daemon.wire.translate.chat_said import Said, read_message
from otari_daemon.wire.translate.counts import Counts, as_messages, of_chat
from otari_daemon.wire.translate.fields import dicts, json_object, string_or, unreadable

_STOPS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}


def messages_answer(body: Body, asked: Asked) -> Body:
    """The Messages answer. Raises UpstreamFailed for a body without a choice."""
    choices = dicts(body.get("choices"))
    if not choices:
        raise unreadable("answer")
    said = read_message(choices[0].get("message"), asked.request_id)
    return {
        **message_head(body.get("id"), asked),
        "content": _content(said),
        "stop_reason": stop_reason_of(choices[0].get("finish_reason"), bool(said.calls), bool(said.refusal)),
        "stop_sequence": None,
        "usage": as_messages(of_chat(body.get("usage")) or Counts()),
    }


def message_head(given_id: Any, asked: Asked) -> Body:
    """What every Messages answer begins with."""
    return {
        "id": string_or(given_id, f"msg_{asked.request_id}"),
        "type": "message",
        "role": "assistant",
        "model": asked.model,
    }


def stop_reason_of(finish: Any, called: bool, refused: bool) -> str:
    """Messages' word for Chat's; calls and refusals show even where a provider says a plain stop."""
    reason = _STOPS.get(finish, "end_turn") if isinstance(finish, str) else "end_turn"
    if reason == "end_turn" and called:
        return "tool_use"
    return "refusal" if reason == "end_turn" and refused else reason


def input_of(arguments: str) -> Body:
    """A call's input; arguments that are no JSON object are given as they are, under `raw_arguments`."""
    given = json_object(arguments)
    return {"raw_arguments": arguments} if given is None else given


def _content(said: Said) -> list[Body]:
    content: list[Body] = []
    if said.reasoning:
        content.append({"type": "thinking", "thinking": said.reasoning, "signature": ""})
    if said.text or said.refusal:
        content.append({"type": "text", "text": said.text + said.refusal})
    for call in said.calls:
        given = input_of(call.arguments)
        content.append({"type": "tool_use", "id": call.id, "name": call.name, "input": given})
    return content
