"""The items of a Responses request said as Chat messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.fields import items, mapping, refuse, text
from otari_daemon.wire.translate.results import Results

_ROLES = {"user": "user", "assistant": "assistant", "system": "system", "developer": "system"}
_BETWEEN = {"assistant": "", "system": "\n\n"}


def chat_messages(instructions: Any, given: Any) -> list[Body]:
    """The instructions and every item, in order. Raises InvalidRequest."""
    conversation = _Conversation()
    if instructions is not None:
        conversation.messages.append(
            {"role": "system", "content": text(instructions, "instructions")},
        )
    if isinstance(given, str):
        conversation.messages.append({"role": "user", "content": given})
        return conversation.messages
    if given is None:
        refuse("input", "is required: a text or an array of items")
    for at, item in enumerate(items(given, "input")):
        conversation.add(mapping(item, f"input[{at}]"), f"input[{at}]")
    conversation.end_results()
    if not conversation.messages:
        refuse("input", "must have at least one item")
    return conversation.messages


class _Conversation:
    """Chat messages so far; calls that follow each other share one message, as Chat demands."""

    def __init__(self) -> None:
        self.messages: list[Body] = []
        self._results = Results()

    def add(self, item: Body, path: str) -> None:
        kind = item.get("type", "message")
        if kind == "function_call_output":
            self._add_result(item, path)
        elif kind == "function_call":
            self.end_results()
            self._add_call(item, path)
        elif kind == "message":
            self.end_results()
            self._add_message(item, path)
        elif kind != "reasoning":  # belongs to the model that wrote it, and Chat has no place for it
            refuse(f"{path}.type", "cannot be told to this provider; send messages, calls and their outputs")

    def end_results(self) -> None:
        """Say the results that have gathered, and after them what only a user's message may hold."""
        results, self._results = self._results, Results()
        self.messages += results.messages
        if results.media:
            self.messages.append({"role": "user", "content": results.media})

    def _add_result(self, item: Body, path: str) -> None:
        output = item.get("output")
        parts = [_text_part(output)] if isinstance(output, str) else _parts(output, f"{path}.output", _USER)
        self._results.add(text(item.get("call_id"), f"{path}.call_id"), parts)

    def _add_call(self, item: Body, path: str) -> None:
        function = {
            "name": text(item.get("name"), f"{path}.name"),
            "arguments": text(item.get("arguments"), f"{path}.arguments"),
        }
        call_id = text(item.get("call_id"), f"{path}.call_id")
        last = self.messages[-1] if self.messages else {}
        if last.get("role") != "assistant":
            last = {"role": "assistant", "content": None}
            self.messages.append(last)
        last.setdefault("tool_calls", []).append({"id": call_id, "type": "function", "function": function})

    def _add_message(self, item: Body, path: str) -> None:
        role = item.get("role")
        said = _ROLES.get(role) if isinstance(role, str) else None
        if said is None:
            refuse(f"{path}.role", f"must be one of {', '.join(_ROLES)}")
        content = item.get("content")
        if not isinstance(content, str):
            parts = _parts(content, f"{path}.content", _USER if said == "user" else _WRITTEN)
            content = _plain(parts, said)
        self.messages.append({"role": said, "content": content})


def _parts(content: Any, path: str, kinds: dict[str, Callable[[Body, str], Body]]) -> list[Body]:
    parts = []
    for at, part in enumerate(items(content, path)):
        here = f"{path}[{at}]"
        kind = mapping(part, here).get("type")
        if not isinstance(kind, str) or kind not in kinds:
            refuse(f"{here}.type", f"must be one of {', '.join(kinds)} here")
        parts.append(kinds[kind](part, here))
    return parts


def _plain(parts: list[Body], role: str) -> str | list[Body]:
    """Texts as a string, which every Chat provider takes; what a user says in several parts stays so."""
    if role != "user":
        return _BETWEEN[role].join(part["text"] for part in parts)
    if len(parts) == 1 and parts[0]["type"] == "text":
        return str(parts[0]["text"])
    return parts


def _text_part(said: str) -> Body:
    return {"type": "text", "text": said}


def _text(part: Body, path: str) -> Body:
    return _text_part(text(part.get("text"), f"{path}.text"))


def _refusal(part: Body, path: str) -> Body:
    return _text_part(text(part.get("refusal"), f"{path}.refusal"))


def _image(part: Body, path: str) -> Body:
    if part.get("image_url") is None:
        refuse(f"{path}.image_url", "is required: a picture by file id cannot be told to this provider")
    image = {"url": text(part["image_url"], f"{path}.image_url")}
    if part.get("detail") is not None:
        image["detail"] = text(part["detail"], f"{path}.detail")
    return {"type": "image_url", "image_url": image}


def _file(part: Body, path: str) -> Body:
    if part.get("file_url") is not None:
        refuse(f"{path}.file_url", "cannot be told to this provider; send file_data or file_id")
    names = [name for name in ("file_id", "file_data", "filename") if part.get(name) is not None]
    return {"type": "file", "file": {name: text(part[name], f"{path}.{name}") for name in names}}


def _audio(part: Body, path: str) -> Body:
    return {"type": "input_audio", "input_audio": mapping(part.get("input_audio"), f"{path}.input_audio")}


_WRITTEN: dict[str, Callable[[Body, str], Body]] = {
    "input_text": _text,
    "output_text": _text,
    "text": _text,
    "refusal": _refusal,
}
_USER = {**_WRITTEN, "input_image": _image, "input_file": _file, "input_audio": _audio}
