"""What a request means, whichever wire says it: a flat list of facts that can be compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Fact = tuple[Any, ...]
_CHOICES = {"any": "required"}


def of_chat(body: dict[str, Any]) -> list[Fact]:
    """The facts of a Chat request."""
    facts: list[Fact] = []
    for message in body["messages"]:
        role = "system" if message["role"] == "developer" else message["role"]
        if role == "tool":
            facts.append(("result", message["tool_call_id"], _joined(message["content"])))
            continue
        facts += _content(role, message.get("content"))
        for call in message.get("tool_calls") or []:
            arguments = json.loads(call["function"]["arguments"] or "{}")
            facts.append(("call", call["id"], call["function"]["name"], arguments))
    tools = [each["function"] for each in body.get("tools", [])]
    facts += [_tool(each, each.get("parameters")) for each in tools]
    choice = body.get("tool_choice")
    if choice is not None:
        facts.append(("choice", choice if isinstance(choice, str) else choice["function"]["name"]))
    facts.append(("parallel", body.get("parallel_tool_calls") is not False))
    stop = body.get("stop")
    facts.append(("stop", [stop] if isinstance(stop, str) else stop or []))
    facts.append(("limit", body.get("max_completion_tokens") or body.get("max_tokens")))
    return facts + _shared(body)


def of_messages(body: dict[str, Any]) -> list[Fact]:
    """The facts of a Messages request."""
    facts = list(_content("system", body.get("system")))
    for turn in body["messages"]:
        content = turn["content"]
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            facts += _block(turn["role"], block)
    facts += [_tool(each, each["input_schema"]) for each in body.get("tools", [])]
    choice = body.get("tool_choice", {})
    if choice:
        facts.append(("choice", choice.get("name") or _CHOICES.get(choice["type"], choice["type"])))
    facts.append(("parallel", not choice.get("disable_parallel_tool_use")))
    facts.append(("stop", body.get("stop_sequences") or []))
    facts.append(("limit", body["max_tokens"]))
    return facts + _shared(body)


def _shared(body: dict[str, Any]) -> list[Fact]:
    return [(name, body.get(name)) for name in ("temperature", "top_p", "stream") if body.get(name)]


def _tool(tool: dict[str, Any], schema: Any) -> Fact:
    return ("tool", tool["name"], tool.get("description") or "", (schema or {}).get("properties", {}))


def _block(role: str, block: dict[str, Any]) -> Iterator[Fact]:
    match block["type"]:
        case "tool_use":
            yield ("call", block["id"], block["name"], block["input"])
        case "tool_result":
            yield ("result", block["tool_use_id"], _joined(block.get("content", "")))
        case "image":
            source = block["source"]
            data = f"data:{source.get('media_type')};base64,{source.get('data')}"
            yield (role, "image", source.get("url") or data)
        case _:
            yield from _content(role, [block])


def _content(role: str, content: Any) -> Iterator[Fact]:
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    for part in content or []:
        if part["type"] == "image_url":
            yield (role, "image", part["image_url"]["url"])
        elif part["type"] == "text" and part["text"]:
            yield (role, "text", part["text"])


def _joined(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)
