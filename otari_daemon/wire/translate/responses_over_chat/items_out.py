"""Output items of a Responses stream: each added, filled piece by piece, and done with all it said."""

from __future__ import annotations

from collections.abc import Callable

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.responses_over_chat.answer import (
    call_item,
    item_id,
    message_item,
    reasoning_item,
    refusal_part,
    text_part,
)

Say = Callable[[str, Body], None]
"""Says one event of the given type with the given members."""


class ReasoningOut:
    """A reasoning item with one part of text."""

    def __init__(self, say: Say, request_id: str, index: int) -> None:
        self._say = say
        self._id = item_id("rs", request_id, index)
        self._place = {"item_id": self._id, "output_index": index, "content_index": 0}
        self._pieces: list[str] = []
        item = reasoning_item(self._id, "", "in_progress")
        say("response.output_item.added", {"output_index": index, "item": item})
        say("response.content_part.added", {**self._place, "part": {"type": "reasoning_text", "text": ""}})

    def add(self, piece: str) -> None:
        """Add to the reasoning."""
        self._pieces.append(piece)
        self._say("response.reasoning_text.delta", {**self._place, "delta": piece})

    def done(self, status: str) -> Body:
        """Say that the item is done; give it back."""
        text = "".join(self._pieces)
        item = reasoning_item(self._id, text, status)
        part = {"type": "reasoning_text", "text": text}
        self._say("response.reasoning_text.done", {**self._place, "text": text})
        self._say("response.content_part.done", {**self._place, "part": part})
        self._say("response.output_item.done", {"output_index": self._place["output_index"], "item": item})
        return item


class MessageOut:
    """A message of the assistant: its text, and a refusal if there is one."""

    def __init__(self, say: Say, request_id: str, index: int) -> None:
        self._say = say
        self._id = item_id("msg", request_id, index)
        self._index = index
        self._parts: dict[str, list[str]] = {}
        item = message_item(self._id, [], "in_progress")
        say("response.output_item.added", {"output_index": index, "item": item})

    def add_text(self, piece: str) -> None:
        """Add to the text; nothing begins it."""
        place, pieces = self._part("text", text_part(""))
        if piece:
            pieces.append(piece)
            self._say("response.output_text.delta", {**place, "delta": piece, "logprobs": []})

    def add_refusal(self, piece: str) -> None:
        """Add to the refusal."""
        place, pieces = self._part("refusal", refusal_part(""))
        pieces.append(piece)
        self._say("response.refusal.delta", {**place, "delta": piece})

    def done(self, status: str) -> Body:
        """Say that the item is done; give it back."""
        content: list[Body] = []
        for kind, pieces in self._parts.items():
            said, place = "".join(pieces), self._place(len(content))
            if kind == "text":
                content.append(text_part(said))
                self._say("response.output_text.done", {**place, "text": said, "logprobs": []})
            else:
                content.append(refusal_part(said))
                self._say("response.refusal.done", {**place, "refusal": said})
            self._say("response.content_part.done", {**place, "part": content[-1]})
        item = message_item(self._id, content, status)
        self._say("response.output_item.done", {"output_index": self._index, "item": item})
        return item

    def _part(self, kind: str, empty: Body) -> tuple[Body, list[str]]:
        pieces = self._parts.get(kind)
        if pieces is None:
            pieces = self._parts[kind] = []
            place = self._place(len(self._parts) - 1)
            self._say("response.content_part.added", {**place, "part": empty})
        return self._place(list(self._parts).index(kind)), pieces

    def _place(self, content_index: int) -> Body:
        return {"item_id": self._id, "output_index": self._index, "content_index": content_index}


class CallOut:
    """A function call."""

    def __init__(self, say: Say, ident: str, index: int, call_id: str, name: str) -> None:
        self._say = say
        self._place = {"item_id": ident, "output_index": index}
        self._named = (ident, call_id, name)
        self._pieces: list[str] = []
        item = {**call_item(*self._named, ""), "status": "in_progress"}
        say("response.output_item.added", {"output_index": index, "item": item})

    def add(self, piece: str) -> None:
        """Add to the arguments."""
        self._pieces.append(piece)
        self._say("response.function_call_arguments.delta", {**self._place, "delta": piece})

    def done(self, status: str) -> Body:
        """Say that the item is done; give it back."""
        arguments = "".join(self._pieces)
        name = self._named[2]
        self._say(
            "response.function_call_arguments.done", {**self._place, "name": name, "arguments": arguments}
        )
        item = {**call_item(*self._named, arguments), "status": status}
        self._say("response.output_item.done", {"output_index": self._place["output_index"], "item": item})
        return item
