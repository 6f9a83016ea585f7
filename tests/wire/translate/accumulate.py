"""Streams put together again as the official clients do, to compare with whole answers."""

from __future__ import annotations

import json
from typing import Any


def accumulated(wire: str, said: list[Any]) -> dict[str, Any]:
    """What a client of `wire` holds once these events are over, in the shape of `gist`."""
    if wire == "responses":
        return gist(wire, said[-2]["response"])
    return gist(wire, _message(said) if wire == "messages" else _completion(said))


def gist(wire: str, answer: dict[str, Any]) -> dict[str, Any]:
    """A whole answer without ids and times, calls' arguments as values, and no text as an empty one."""
    if wire == "responses":
        return {name: answer[name] for name in ("output", "status", "incomplete_details", "usage")}
    if wire == "messages":
        return {name: answer[name] for name in ("content", "stop_reason", "usage")}
    message = answer["choices"][0]["message"]
    calls = [
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in message.get("tool_calls", [])
    ]
    return {
        "content": message["content"] or "",
        "thoughts": message.get("thinking_blocks", []),
        "reasoning": message.get("reasoning_content", ""),
        "calls": calls,
        "finish": answer["choices"][0]["finish_reason"],
        "usage": answer["usage"],
    }


def _completion(said: list[Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"content": "", "tool_calls": []}
    whole: dict[str, Any] = {"usage": None}
    for event in said[:-1]:
        whole["usage"] = event.get("usage") or whole["usage"]
        for choice in event["choices"]:
            whole["choices"] = [{"message": message, "finish_reason": choice["finish_reason"]}]
            _add(message, choice["delta"])
    return whole


def _add(message: dict[str, Any], delta: dict[str, Any]) -> None:
    for field in ("content", "reasoning_content"):
        if field in delta:
            message[field] = message.get(field, "") + delta[field]
    for thought in delta.get("thinking_blocks", []):
        assert thought.pop("index") == len(message.setdefault("thinking_blocks", []))
        message["thinking_blocks"].append(thought)
    for call in delta.get("tool_calls", []):
        if call["index"] == len(message["tool_calls"]):
            function = {"name": call["function"]["name"], "arguments": ""}
            message["tool_calls"].append({"id": call["id"], "function": function})
        message["tool_calls"][call["index"]]["function"]["arguments"] += call["function"]["arguments"]


def _message(said: list[Any]) -> dict[str, Any]:
    whole: dict[str, Any] = {"content": []}
    for event in said:
        if event["type"] == "content_block_start":
            whole["content"].append({**event["content_block"], "input": ""})
        elif event["type"] == "content_block_delta":
            delta = event["delta"]
            field = {"text_delta": "text", "thinking_delta": "thinking"}.get(delta["type"], "input")
            whole["content"][event["index"]][field] += delta[field if field != "input" else "partial_json"]
        elif event["type"] == "content_block_stop":
            _shut(whole["content"][event["index"]])
        elif event["type"] == "message_delta":
            whole |= {"stop_reason": event["delta"]["stop_reason"], "usage": event["usage"]}
    return whole


def _shut(block: dict[str, Any]) -> None:
    given = block.pop("input")
    if block["type"] == "tool_use":
        block["input"] = json.loads(given or "{}")
