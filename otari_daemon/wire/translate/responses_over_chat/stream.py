"""A stream of Chat chunks said as Responses events."""

from __future__ import annotations

from typing import Any

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.base import Asked
from otari_daemon.wire.translate.chat_said import arguments_of, call_id, reasoning_of, text_of
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
        for at, call in enumerate(dicts(delta.get("tool_calls"))):
            self._call(at, call)

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

    def _call(self, at: int, call: Body) -> None:
        """A piece of a call; a provider that does not number its calls sends each whole, in order."""
        function = call.get("function")
        function = function if isinstance(function, dict) else {}
        number = call.get("index")
        if type(number) is not int:
            number = len(self._calls) if call.get("id") else at
        found = self._calls.get(number)
        if found is None:
            index = len(self._items)
            known = string_or(call.get("id"), call_id(self._request_id, number))
            ident = item_id("fc", self._request_id, index)
            found = CallOut(self._event, ident, index, known, string_or(function.get("name"), "unnamed"))
            self._calls[number] = found
            self._items.append(found)
        piece = arguments_of(function)
        if piece:
            found.add(self._keep(piece))

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
