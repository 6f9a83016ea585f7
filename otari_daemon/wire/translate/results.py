"""Results of tools as Chat messages: text where the call's result belongs, pictures in the turn after."""

from __future__ import annotations

from otari_daemon.wire.dialect import Body

_SHOWN_BELOW = "[shown in the next message]"


class Results:
    """Tool messages, and the parts that only a user's message may hold, each announced by its call's id."""

    __slots__ = ("media", "messages")

    def __init__(self) -> None:
        self.messages: list[Body] = []
        self.media: list[Body] = []

    def add(self, call_id: str, parts: list[Body], prefix: str = "") -> None:
        """Take the Chat parts of one call's result; `prefix` goes before its text."""
        texts = [part["text"] for part in parts if part["type"] == "text"]
        shown = [part for part in parts if part["type"] != "text"]
        if shown:
            texts.append(_SHOWN_BELOW)
            self.media += [{"type": "text", "text": f"Result of tool call {call_id}:"}, *shown]
        self.messages.append(
            {"role": "tool", "tool_call_id": call_id, "content": prefix + "\n".join(texts)},
        )
