"""What a Chat provider's message or delta says, in the spellings that are in use."""

from __future__ import annotations

from typing import Any, NamedTuple

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.fields import dicts, string_or


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


def call_id(request_id: str, at: int) -> str:
    """An id for a call that its provider gave none."""
    return f"call_{request_id}_{at}"


def arguments_of(function: Body) -> str:
    """A call's arguments as text; nothing where a provider sent something else."""
    return string_or(function.get("arguments"))


def _calls(message: Body, request_id: str) -> list[Call]:
    found = []
    for at, call in enumerate(dicts(message.get("tool_calls"))):
        function = call.get("function")
        if isinstance(function, dict):
            name = string_or(function.get("name"), "unnamed")
            known = string_or(call.get("id"), call_id(request_id, at))
            found.append(Call(known, name, arguments_of(function)))
    return found
