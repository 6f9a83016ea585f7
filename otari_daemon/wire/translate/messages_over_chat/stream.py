"""A stream of Chat chunks said as Messages events."""

from __future__ import annotations

from typing import Any

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.base import Asked
from otari_daemon.wire.translate.chat_said import CallsHeard, reasoning_of, text_of
from otari_daemon.wire.translate.counts import Counts, as_messages, of_chat
from otari_daemon.wire.translate.errors import messages_error
from otari_daemon.wire.translate.events import EventTranslator, named_event
from otari_daemon.wire.translate.fields import dicts, string_or
from otari_daemon.wire.translate.messages_over_chat.answer import message_head, stop_reason_of
from otari_daemon.wire.translate.messages_over_chat.blocks_out import TEXT, THINKING, BlocksOut


class MessagesFromChat(EventTranslator):
    """One Messages stream out of one Chat stream.

    Chat tells its usage last, so `message_start` says zero and `message_delta` says it all.
    """

    def __init__(self, asked: Asked) -> None:
        super().__init__()
        self._asked = asked
        self._calls = CallsHeard(asked.request_id)
        self._blocks = BlocksOut(self._say, self._keep)
        self._started = False
        self._finish: Any = None
        self._refused = False
        self._usage: Any = None

    def _take(self, event: Body) -> None:
        if event.get("error") is not None:
            self._say(named_event(messages_error(event)))
            self._over = True
            return
        self._start(event.get("id"))
        if event.get("usage") is not None:
            self._usage = event["usage"]
        for choice in dicts(event.get("choices"))[:1]:
            delta = choice.get("delta")
            if isinstance(delta, dict):
                self._write(delta)
            if choice.get("finish_reason") is not None:
                self._finish = choice["finish_reason"]
                self._stopped = True

    def _ping(self) -> None:
        self._say(named_event({"type": "ping"}))

    def _start(self, given_id: Any) -> None:
        if self._started:
            return
        self._started = True
        message = {
            **message_head(given_id, self._asked),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": as_messages(Counts()),
        }
        self._say(named_event({"type": "message_start", "message": message}))

    def _write(self, delta: Body) -> None:
        reasoning, said = reasoning_of(delta), text_of(delta.get("content"))
        refusal = string_or(delta.get("refusal"))
        if reasoning:
            self._blocks.write("thinking", THINKING, reasoning)
        if said or refusal:
            self._refused = self._refused or bool(refusal)
            self._blocks.write("text", TEXT, said + refusal)
        for piece in self._calls.pieces(delta):
            start = {"type": "tool_use", "id": piece.id, "name": piece.name, "input": {}}
            self._blocks.write(piece.number, start, piece.arguments)

    def _end(self) -> None:
        self._start(None)
        self._blocks.finish()
        reason = stop_reason_of(self._finish, bool(self._calls), self._refused)
        delta = {"stop_reason": reason, "stop_sequence": None}
        usage = as_messages(of_chat(self._usage) or Counts())
        self._say(named_event({"type": "message_delta", "delta": delta, "usage": usage}))
        self._say(named_event({"type": "message_stop"}))
        self._over = True
