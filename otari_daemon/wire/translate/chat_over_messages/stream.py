"""A stream of Messages events said as Chat chunks."""

from __future__ import annotations

from typing import Any

import msgspec

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.sse import EVENT_BYTES_MAX
from otari_daemon.wire.translate.base import Asked
from otari_daemon.wire.translate.chat_over_messages.answer import (
    THOUGHTS,
    call_of,
    finish_of,
    thought_of,
    tier_of,
)
from otari_daemon.wire.translate.counts import as_chat, of_messages
from otari_daemon.wire.translate.errors import openai_error
from otari_daemon.wire.translate.events import DONE, EventTranslator, plain_event
from otari_daemon.wire.translate.fields import string_or


class ChatFromMessages(EventTranslator):
    """One Chat stream out of one Messages stream.

    Thoughts go out as `reasoning_content` as they come, and once more at their end as `thinking_blocks`,
    with their signature and the `index` that OpenAI's client wants of whatever stands in a list. A thought
    that would not fit one event is not repeated.
    """

    def __init__(self, asked: Asked) -> None:
        super().__init__()
        options = asked.body.get("stream_options")
        self._shows_usage = isinstance(options, dict) and options.get("include_usage") is True
        self._head: Body = {
            "id": f"chatcmpl-{asked.request_id}",
            "object": "chat.completion.chunk",
            "created": asked.created_s,
            "model": asked.model,
        }
        self._usage: Body = {}
        self._stop_reason: Any = None
        self._calls = 0
        self._thoughts = 0
        self._block: Body = {}
        self._thought: list[str] = []
        self._unargued = False

    def _take(self, event: Body) -> None:
        match event.get("type"):
            case "message_start":
                self._start(event.get("message"))
            case "content_block_start":
                self._open(event.get("content_block"))
            case "content_block_delta":
                self._add(event.get("delta"))
            case "content_block_stop":
                self._shut()
            case "message_delta":
                self._note(event)
            case "message_stop":
                self._end()
            case "ping":
                self._ping()
            case "error":
                self._say(plain_event(openai_error(event)) + DONE)
                self._over = True

    def _start(self, message: Any) -> None:
        if isinstance(message, dict):
            self._head["id"] = string_or(message.get("id"), self._head["id"])
            self._count(message.get("usage"))
        self._delta({"role": "assistant", "content": ""})

    def _open(self, block: Any) -> None:
        self._block = block if isinstance(block, dict) else {}
        self._thought.clear()
        kind = self._block.get("type")
        if kind == "text":
            self._text(self._block.get("text"))
        elif kind == "thinking":
            self._think(self._block.get("thinking"))
        elif kind == "tool_use":
            call = call_of(self._block)
            call["function"]["arguments"] = ""
            self._delta({"tool_calls": [{"index": self._calls, **call}]})
            self._unargued = True

    def _add(self, delta: Any) -> None:
        if not isinstance(delta, dict):
            return
        match delta.get("type"):
            case "text_delta":
                self._text(delta.get("text"))
            case "thinking_delta":
                self._think(delta.get("thinking"))
            case "signature_delta":
                self._block["signature"] = string_or(delta.get("signature"))
            case "input_json_delta" if self._block.get("type") == "tool_use":
                self._argue(string_or(delta.get("partial_json")))

    def _shut(self) -> None:
        kind = self._block.get("type")
        if kind == "tool_use":
            if self._unargued:
                given = self._block.get("input")
                self._argue(msgspec.json.encode(given if isinstance(given, dict) else {}).decode())
            self._calls += 1
        elif kind in THOUGHTS:
            if kind == "thinking":
                self._block["thinking"] = "".join(self._thought)
            thought = thought_of(self._block)
            if len(msgspec.json.encode(thought)) < EVENT_BYTES_MAX - 1024:
                self._delta({"thinking_blocks": [{"index": self._thoughts, **thought}]})
            self._thoughts += 1
        self._block = {}

    def _note(self, event: Body) -> None:
        delta = event.get("delta")
        if isinstance(delta, dict) and delta.get("stop_reason") is not None:
            self._stop_reason = delta["stop_reason"]
            self._stopped = True
        self._count(event.get("usage"))

    def _count(self, usage: Any) -> None:
        """Later counts replace earlier ones; they are never added to them."""
        if isinstance(usage, dict):
            self._usage |= {name: value for name, value in usage.items() if value is not None}

    def _text(self, text: Any) -> None:
        if isinstance(text, str) and text:
            self._delta({"content": text})

    def _think(self, text: Any) -> None:
        if isinstance(text, str) and text:
            self._thought.append(self._keep(text))
            self._delta({"reasoning_content": text})

    def _argue(self, piece: str) -> None:
        if piece:
            self._unargued = False
            self._delta({"tool_calls": [{"index": self._calls, "function": {"arguments": piece}}]})

    def _delta(self, delta: Body, finish: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        self._say(plain_event({**self._head, "choices": [choice]}))

    def _end(self) -> None:
        tier = tier_of(self._usage)
        if tier is not None:
            self._head["service_tier"] = tier
        self._delta({}, finish_of(self._stop_reason))
        counts = of_messages(self._usage)
        if self._shows_usage and counts is not None:
            self._say(plain_event({**self._head, "choices": [], "usage": as_chat(counts)}))
        self._say(DONE)
        self._over = True
