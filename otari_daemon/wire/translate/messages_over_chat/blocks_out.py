"""Content blocks of a Messages stream: one open at a time, numbered without gaps, each started and stopped.

Chat may go back and forth between calls; Messages may not. What the open block cannot take waits, within a
bound, until the block is complete or the stream ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.events import named_event
from otari_daemon.wire.translate.fields import json_object, unreadable

TEXT: Body = {"type": "text", "text": ""}
THINKING: Body = {"type": "thinking", "thinking": "", "signature": ""}
_DELTAS = {
    "text": ("text_delta", "text"),
    "thinking": ("thinking_delta", "thinking"),
    "tool_use": ("input_json_delta", "partial_json"),
}


class _Waiting(NamedTuple):
    start: Body
    pieces: list[str]


class BlocksOut:
    """Says the blocks of one answer through `say`; `keep` counts what has to wait."""

    __slots__ = ("_closed", "_keep", "_key", "_kind", "_next", "_pieces", "_say", "_waiting")

    def __init__(self, say: Callable[[bytes], None], keep: Callable[[str], str]) -> None:
        self._say = say
        self._keep = keep
        self._next = 0
        self._key: object = None
        self._kind = ""
        self._pieces: list[str] = []
        self._closed: set[int] = set()
        self._waiting: dict[object, _Waiting] = {}

    def write(self, key: object, start: Body, piece: str) -> None:
        """Add `piece` to the block of `key`, which `start` begins if it is new.

        A key is a call's number, or the kind of a block of words. Raises UpstreamFailed.
        """
        if key in self._closed:
            if piece.strip():
                raise unreadable("stream, which goes on with a call that was complete,")
            return
        if key != self._key and (self._waiting or not self._is_complete()):
            waiting = self._waiting.setdefault(key, _Waiting(start, []))
            if piece:
                waiting.pieces.append(self._keep(piece))
            return
        if key != self._key:
            self._shut()
            self._open(key, start)
        self._add(self._keep(piece) if self._kind == "tool_use" else piece)

    def finish(self) -> None:
        """Say what waits and stop the last block."""
        self._shut()
        for key, waiting in self._waiting.items():
            self._open(key, waiting.start)
            for piece in waiting.pieces:
                self._add(piece)
            self._shut()
        self._waiting.clear()

    def _is_complete(self) -> bool:
        """Whether the open block may stop here: words always, a call once its arguments are an object."""
        if self._kind != "tool_use":
            return True
        arguments = "".join(self._pieces)
        return bool(arguments.strip()) and json_object(arguments) is not None

    def _open(self, key: object, start: Body) -> None:
        self._key, self._kind = key, start["type"]
        event = {"type": "content_block_start", "index": self._next, "content_block": start}
        self._say(named_event(event))

    def _add(self, piece: str) -> None:
        if not piece:
            return
        if self._kind == "tool_use":
            self._pieces.append(piece)
        kind, name = _DELTAS[self._kind]
        delta = {"type": kind, name: piece}
        self._say(named_event({"type": "content_block_delta", "index": self._next, "delta": delta}))

    def _shut(self) -> None:
        if self._key is None:
            return
        self._say(named_event({"type": "content_block_stop", "index": self._next}))
        if isinstance(self._key, int):
            self._closed.add(self._key)
        self._next += 1
        self._key, self._kind = None, ""
        self._pieces.clear()
