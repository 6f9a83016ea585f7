"""A Chat conversation said as Messages turns: system prompts, calls, results, thoughts."""

from __future__ import annotations

from typing import Any, NamedTuple

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.chat_over_messages.parts import blocks_of
from otari_daemon.wire.translate.chat_over_messages.tools import safe_id
from otari_daemon.wire.translate.fields import items, json_object, mapping, refuse, text, without_nulls

THOUGHT_FIELDS = ("type", "thinking", "signature", "data")
_SYSTEM = ("system", "developer")


class Conversation(NamedTuple):
    """What stands before the first turn, and the turns."""

    system: list[Body]
    messages: list[Body]


def split_conversation(messages: list[Any]) -> Conversation:
    """Leading system prompts aside, the turns in order. Raises InvalidRequest."""
    conversation = Conversation([], [])
    for at, message in enumerate(messages):
        _add(conversation, mapping(message, f"messages[{at}]"), f"messages[{at}]")
    if not conversation.messages:
        refuse("messages", "must have a message of the user for this provider")
    return conversation


def _add(conversation: Conversation, message: Body, path: str) -> None:
    role, turns = message.get("role"), conversation.messages
    if role != "tool" and message.get("name") is not None:
        refuse(f"{path}.name", "cannot be told to this provider; write it into the content")
    if role in _SYSTEM:
        blocks = blocks_of(message.get("content"), f"{path}.content", ("text",))
        if turns:
            turns.append({"role": "system", "content": blocks})
        else:
            conversation.system.extend(blocks)
    elif role == "user":
        turns.append({"role": "user", "content": _user_content(message, path)})
    elif role == "assistant":
        blocks = _assistant_blocks(message, path)
        if blocks:
            turns.append({"role": "assistant", "content": blocks})
    elif role == "tool":
        _add_result(turns, message, path)
    else:
        refuse(f"{path}.role", "must be system, developer, user, assistant or tool for this provider")


def _user_content(message: Body, path: str) -> str | list[Body]:
    content = message.get("content")
    if isinstance(content, str):
        return content
    return blocks_of(content, f"{path}.content", ("text", "image_url", "file"))


def _assistant_blocks(message: Body, path: str) -> list[Body]:
    for field in ("audio", "function_call"):
        if message.get(field) is not None:
            refuse(f"{path}.{field}", "cannot be told to this provider")
    blocks = [
        _thought(block, f"{path}.thinking_blocks[{at}]")
        for at, block in enumerate(items(message.get("thinking_blocks"), f"{path}.thinking_blocks"))
    ]
    blocks += blocks_of(message.get("content"), f"{path}.content", ("text", "refusal"))
    if message.get("refusal"):
        blocks.append({"type": "text", "text": text(message["refusal"], f"{path}.refusal")})
    for at, call in enumerate(items(message.get("tool_calls"), f"{path}.tool_calls")):
        blocks.append(_tool_use(mapping(call, f"{path}.tool_calls[{at}]"), f"{path}.tool_calls[{at}]"))
    return blocks


def _thought(block: Any, path: str) -> Body:
    """A thought as `chat_over_messages.answer` gave it out, with the signature that makes it valid."""
    if mapping(block, path).get("type") not in ("thinking", "redacted_thinking"):
        refuse(f"{path}.type", "must be thinking or redacted_thinking")
    return without_nulls({name: block.get(name) for name in THOUGHT_FIELDS})


def _tool_use(call: Body, path: str) -> Body:
    if call.get("type", "function") != "function":
        refuse(f"{path}.type", "must be function for this provider")
    function = mapping(call.get("function"), f"{path}.function")
    arguments = json_object(text(function.get("arguments", ""), f"{path}.function.arguments"))
    if arguments is None:
        refuse(f"{path}.function.arguments", "must be a JSON object for this provider")
    return {
        "type": "tool_use",
        "id": safe_id(text(call.get("id"), f"{path}.id")),
        "name": text(function.get("name"), f"{path}.function.name"),
        "input": arguments,
    }


def _add_result(turns: list[Body], message: Body, path: str) -> None:
    """A tool's result; those of parallel calls share one turn, as Messages demands."""
    content = message.get("content")
    if not isinstance(content, str):
        content = blocks_of(content, f"{path}.content", ("text", "image_url", "file"))
    result = {
        "type": "tool_result",
        "tool_use_id": safe_id(text(message.get("tool_call_id"), f"{path}.tool_call_id")),
        "content": content,
    }
    last = turns[-1]["content"] if turns and turns[-1]["role"] == "user" else None
    if isinstance(last, list) and last and last[-1]["type"] == "tool_result":
        last.append(result)
    else:
        turns.append({"role": "user", "content": [result]})
