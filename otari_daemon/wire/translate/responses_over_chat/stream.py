"""A stream of Chat chunks said as Responses events."""

from __future__ import annotations

from typing import Any

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.base import Asked
from otari_daemon.wire.translate.chat_said import CallsHeard, Piece, reasoning_of, text_of
from otari_daemon.wire.translate.errors import openai_error, read_error
from otari_daemon.wire.translate.events import DONE, EventTranslator, named_event
from otari_daemon.wire.translate.fields import dicts, string_or
from otari_daemon.wire.translate.responses_over_chat.answer import (
    ended,
    item_id,
    response_head,
    status_of,
)
from otari_daemon.wire.translate.responses_over_chat.items_out import CallOut, MessageOut, ReasoningOut


class ResponsesFromChat(EventTranslator):
    """One Responses stream out of one Chat stream; items are done, in order, once the provider is."""

    def __init__(self, asked: Asked) -> None:
        super().__init__()
        self._request_id = asked.request_id
        self._head = response_head(asked)
        self._started = False
        self._number = 0
        self._items: list[ReasoningOut | MessageOut | CallOut] = []
        self._reasoning: ReasoningOut | None = None
        self._message: MessageOut | None = None
        self._heard = CallsHeard(asked.request_id)
        self._calls: dict[int, CallOut] = {}
        self._finish: Any = None
        self._tail: Body = {}

    def _take(self, event: Body) -> None:
        self._start()
        if event.get("error") is not None:
            self._fail(event)
            return
        for name in ("usage", "service_tier"):
            if event.get(name) is not None:
                self._tail[name] = event[name]
        for choice in dicts(event.get("choices"))[:1]:
            delta = choice.get("delta")
            if isinstance(delta, dict):
                self._write(delta)
            if choice.get("finish_reason") is not None:
                self._finish = choice["finish_reason"]
                self._stopped = True

    def _start(self) -> None:
        if not self._started:
            self._started = True
            self._event("response.created", {"response": self._head})
            self._event("response.in_progress", {"response": self._head})

    def _write(self, delta: Body) -> None:
        reasoning, said = reasoning_of(delta), text_of(delta.get("content"))
        refusal = string_or(delta.get("refusal"))
        if reasoning:
            self._think(self._keep(reasoning))
        if said:
            self._say_words().add_text(self._keep(said))
        if refusal:
            self._say_words().add_refusal(self._keep(refusal))
        for piece in self._heard.pieces(delta):
            self._call(piece)

    def _think(self, piece: str) -> None:
        if self._reasoning is None:
            self._reasoning = ReasoningOut(self._event, self._request_id, len(self._items))
            self._items.append(self._reasoning)
        self._reasoning.add(piece)

    def _say_words(self) -> MessageOut:
        if self._message is None:
            self._message = MessageOut(self._event, self._request_id, len(self._items))
            self._items.append(self._message)
        return self._message

    def _call(self, piece: Piece) -> None:
        call = self._calls.get(piece.number)
        if call is None:
            index = len(self._items)
            ident = item_id("fc", self._request_id, index)
            call = self._calls[piece.number] = CallOut(self._event, ident, index, piece.id, piece.name)
            self._items.append(call)
        if piece.arguments:
            call.add(self._keep(piece.arguments))

    def _end(self) -> None:
        self._start()
        if self._message is None and not self._calls:
            self._say_words().add_text("")
        response = self._whole()
        self._event(f"response.{response['status']}", {"response": response})
        self._say(DONE)
        self._over = True

    def _whole(self) -> Body:
        status = status_of(self._finish)
        return ended(self._head, [item.done(status) for item in self._items], self._finish, self._tail)

    def _fail(self, event: Body) -> None:
        """Tell the error twice in one event: as Responses has it, and where OpenAI's client looks for one."""
        told = read_error(event)
        stated = {"code": told.code or told.type, "message": told.message, "param": told.param}
        self._event("error", {**stated, **openai_error(event)})
        error = {"code": "server_error", "message": told.message}
        self._event("response.failed", {"response": {**self._head, "status": "failed", "error": error}})
        self._over = True

    def _event(self, kind: str, members: Body) -> None:
        self._say(named_event({"type": kind, "sequence_number": self._number, **members}))
        self._number += 1
