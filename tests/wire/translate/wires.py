"""Helpers for translated streams: parse them as a client does, and build the providers' side."""

from __future__ import annotations

import json
from typing import Any

from otari_daemon.wire.sse import Splitter, data_of
from otari_daemon.wire.translate.base import Asked, StreamTranslator
from otari_daemon.wire.translate.chat_over_messages import ChatOverMessages
from otari_daemon.wire.translate.messages_over_chat import MessagesOverChat
from otari_daemon.wire.translate.responses_over_chat import ResponsesOverChat

CHAT = ChatOverMessages()
MESSAGES = MessagesOverChat("max_tokens")
RESPONSES = ResponsesOverChat("max_completion_tokens")
DIRECTIONS = {"chat": CHAT, "messages": MESSAGES, "responses": RESPONSES}


def asked(**body: Any) -> Asked:
    """What an answer is told of a request with this body."""
    return Asked("alias", "r1", 1_700_000_000, body)


def events(out: bytes) -> list[Any]:
    """The events of a stream: their JSON, or the text of those that have none."""
    splitter, found = Splitter(), []
    for event in splitter.feed(out):
        data = data_of(event)
        if data:
            found.append("[DONE]" if data == b"[DONE]" else json.loads(data))
    assert splitter.rest == b""
    return found


def run(translator: StreamTranslator, *chunks: bytes) -> list[Any]:
    """All events that come of these chunks."""
    return events(b"".join(map(translator.feed, chunks)) + translator.finish())


def messages_stream(*said: dict[str, Any]) -> bytes:
    """Events as a Messages provider sends them."""
    return b"".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n".encode() for each in said)


def chat_stream(*said: dict[str, Any]) -> bytes:
    """Chunks as a Chat provider sends them, up to `[DONE]`."""
    return b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in said) + b"data: [DONE]\n\n"


def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    """One Chat chunk."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "choices": [choice]}


def call_delta(index: int, arguments: str, **more: Any) -> dict[str, Any]:
    """One piece of a call; `name` and `id` come with the first."""
    function = {"arguments": arguments, **({"name": more.pop("name")} if "name" in more else {})}
    return {"index": index, "function": function, **more}


def messages_events(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """A whole Messages answer as the events of a stream, each text in two deltas."""
    head = {**answer, "content": [], "stop_reason": None, "usage": {**answer["usage"], "output_tokens": 1}}
    said: list[dict[str, Any]] = [{"type": "message_start", "message": head}, {"type": "ping"}]
    for index, block in enumerate(answer["content"]):
        said.append({"type": "content_block_start", "index": index, "content_block": _emptied(block)})
        said += [{"type": "content_block_delta", "index": index, "delta": each} for each in _deltas(block)]
        said.append({"type": "content_block_stop", "index": index})
    delta = {"stop_reason": answer["stop_reason"], "stop_sequence": None}
    said.append({"type": "message_delta", "delta": delta, "usage": answer["usage"]})
    return [*said, {"type": "message_stop"}]


def chat_chunks(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """A whole Chat completion as the chunks of a stream, each text in two deltas."""
    choice = answer["choices"][0]
    message = choice["message"]
    said = [chunk(role="assistant", content="")]
    for field in ("reasoning_content", "content", "refusal"):
        said += [chunk(**{field: piece}) for piece in _halves(message.get(field) or "")]
    for index, call in enumerate(message.get("tool_calls") or []):
        first, second = _halves(call["function"]["arguments"])
        name = call["function"]["name"]
        said.append(chunk(tool_calls=[call_delta(index, first, id=call["id"], type="function", name=name)]))
        said.append(chunk(tool_calls=[call_delta(index, second)]))
    said.append(chunk(choice["finish_reason"]))
    return [*said, {"id": "chatcmpl-1", "choices": [], "usage": answer["usage"]}]


def _halves(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]


def _emptied(block: dict[str, Any]) -> dict[str, Any]:
    blank: dict[str, dict[str, Any]] = {
        "text": {"text": ""},
        "thinking": {"thinking": "", "signature": ""},
        "tool_use": {"input": {}},
    }
    return {**block, **blank.get(block["type"], {})}


def _deltas(block: dict[str, Any]) -> list[dict[str, Any]]:
    match block["type"]:
        case "text":
            return [{"type": "text_delta", "text": piece} for piece in _halves(block["text"])]
        case "thinking":
            thoughts = [{"type": "thinking_delta", "thinking": each} for each in _halves(block["thinking"])]
            return [*thoughts, {"type": "signature_delta", "signature": block["signature"]}]
        case "tool_use":
            pieces = _halves(json.dumps(block["input"]) if block["input"] else "")
            return [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    return []
