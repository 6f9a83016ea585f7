"""What a Chat provider's message or delta says, in the spellings that are in use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.fields import dicts, string_or, unreadable

CALLS_MAX = 1024
"""More calls in one stream are a broken upstream, not an answer."""


class Call(NamedTuple):
    """One call of a function; `arguments` is JSON as the model wrote it."""

    id: str
    name: str
    arguments: str


class Said(NamedTuple):
    """A whole message: text, refusal, reasoning, calls."""

    text: str
    refusal: str
    reasoning: str
    calls: list[Call]


def read_message(message: Any, request_id: str) -> Said:
    """Read a message leniently: what is not of a known shape says nothing."""
    if not isinstance(message, dict):
        return Said("", "", "", [])
    return Said(
        text_of(message.get("content")),
        string_or(message.get("refusal")),
        reasoning_of(message),
        _calls(message, request_id),
    )


def text_of(content: Any) -> str:
    """The text of content: a string, or the text parts of an array."""
    if isinstance(content, str):
        return content
    return "".join(string_or(part.get("text")) for part in dicts(content) if part.get("type") == "text")


def reasoning_of(said: Body) -> str:
    """The reasoning of a message or delta: `reasoning_content`, or `reasoning`."""
    return string_or(said.get("reasoning_content")) or string_or(said.get("reasoning"))


class Piece(NamedTuple):
    """Some of the arguments of the call `number`, whose id and name are as its first piece told them."""

    number: int
    id: str
    name: str
    arguments: str


class CallsHeard:
    """Tells the calls of one stream apart."""

    __slots__ = ("_named", "_request_id")

    def __init__(self, request_id: str) -> None:
        self._request_id = request_id
        self._named: dict[int, tuple[str, str]] = {}

    def __len__(self) -> int:
        return len(self._named)

    def pieces(self, delta: Body) -> Iterator[Piece]:
        """The pieces of calls in a delta. Raises UpstreamFailed beyond `CALLS_MAX` calls."""
        for call in dicts(delta.get("tool_calls")):
            number = self._number(call)
            named = self._named.get(number)
            if named is None:
                if len(self._named) == CALLS_MAX:
                    raise unreadable("stream, with more calls than any answer,")
                named = self._named[number] = _named(call, self._request_id, number)
            yield Piece(number, *named, _arguments(call))

    def _number(self, call: Body) -> int:
        """A provider that does not number its calls sends one after another, each with an id at first."""
        number = call.get("index")
        if type(number) is int:
            return number
        return len(self._named) if call.get("id") or not self._named else next(reversed(self._named))


def _named(call: Body, request_id: str, number: int) -> tuple[str, str]:
    """A call's id, made up where its provider gave none, and its function's name."""
    name = string_or(_function(call).get("name"), "unnamed")
    return string_or(call.get("id"), f"call_{request_id}_{number}"), name


def _arguments(call: Body) -> str:
    return string_or(_function(call).get("arguments"))


def _function(call: Body) -> Body:
    function = call.get("function")
    return function if isinstance(function, dict) else {}


def _calls(message: Body, request_id: str) -> list[Call]:
    calls = dicts(message.get("tool_calls"))
    return [Call(*_named(call, request_id, at), _arguments(call)) for at, call in enumerate(calls)]
