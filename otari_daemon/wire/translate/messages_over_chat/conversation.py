"""A Messages conversation said as Chat messages."""

from __future__ import annotations

from typing import Any

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.fields import items, json_text, mapping, refuse, text
from otari_daemon.wire.translate.messages_over_chat.blocks import parts_of, parts_of_one
from otari_daemon.wire.translate.results import Results

_UNSAYABLE = "cannot be told to this provider"
_SAID = ("text", "image", "document")


def chat_messages(system: Any, turns: list[Any]) -> list[Body]:
    """The system prompt and every turn, in order. Raises InvalidRequest."""
    messages = []
    if system is not None:
        messages.append(_system(system, "system"))
    for at, turn in enumerate(turns):
        path = f"messages[{at}]"
        role = mapping(turn, path).get("role")
        if role == "user":
            messages += _user(turn.get("content"), f"{path}.content")
        elif role == "assistant":
            messages += _assistant(turn.get("content"), f"{path}.content")
        elif role == "system":
            messages.append(_system(turn.get("content"), f"{path}.content"))
        else:
            refuse(f"{path}.role", "must be user, assistant or system")
    if not turns:
        refuse("messages", "must have at least one message")
    if turns[-1]["role"] == "assistant":
        refuse("messages", "must not end with the assistant's words: this provider cannot go on from them")
    return messages


def _system(content: Any, path: str) -> Body:
    """One system message; blocks become paragraphs, which every Chat provider takes."""
    if isinstance(content, str):
        return {"role": "system", "content": content}
    parts = parts_of(items(content, path), path, ("text",))
    return {"role": "system", "content": "\n\n".join(part["text"] for part in parts)}


def _user(content: Any, path: str) -> list[Body]:
    """The results of tools first, as Chat demands, then what the user says."""
    if isinstance(content, str):
        return [{"role": "user", "content": content}]
    results, said = Results(), []
    for at, block in enumerate(items(content, path)):
        here = f"{path}[{at}]"
        if mapping(block, here).get("type") == "tool_result":
            _add_result(results, block, here)
        else:
            said += parts_of_one(block, here, _SAID)
    parts = results.media + said
    return results.messages + ([{"role": "user", "content": _plain(parts)}] if parts else [])


def _add_result(results: Results, block: Body, path: str) -> None:
    content = block.get("content")
    if isinstance(content, str):
        parts = [{"type": "text", "text": content}]
    else:
        parts = parts_of(items(content, f"{path}.content"), f"{path}.content", _SAID)
    call_id = text(block.get("tool_use_id"), f"{path}.tool_use_id")
    results.add(call_id, parts, "Error: " if block.get("is_error") is True else "")


def _assistant(content: Any, path: str) -> list[Body]:
    """The model's own turn; its thoughts stay behind, for Chat has no place for them."""
    if isinstance(content, str):
        return [{"role": "assistant", "content": content}]
    texts, calls = [], []
    for at, block in enumerate(items(content, path)):
        here = f"{path}[{at}]"
        kind = mapping(block, here).get("type")
        if kind == "text":
            texts.append(text(block.get("text"), f"{here}.text"))
        elif kind == "tool_use":
            calls.append(_call(block, here))
        elif kind not in ("thinking", "redacted_thinking"):
            refuse(f"{here}.type", _UNSAYABLE)
    if not texts and not calls:
        return []
    message: Body = {"role": "assistant", "content": "".join(texts) if texts else None}
    return [{**message, "tool_calls": calls} if calls else message]


def _call(block: Body, path: str) -> Body:
    given = mapping(block.get("input"), f"{path}.input")
    return {
        "id": text(block.get("id"), f"{path}.id"),
        "type": "function",
        "function": {
            "name": text(block.get("name"), f"{path}.name"),
            "arguments": json_text(given, f"{path}.input"),
        },
    }


def _plain(parts: list[Body]) -> str | list[Body]:
    """One text as a string, which every Chat provider takes."""
    if len(parts) == 1 and parts[0]["type"] == "text":
        return str(parts[0]["text"])
    return parts
