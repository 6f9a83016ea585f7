"""Counting what Messages say, prompt and answer, for the cases where the provider does not."""

from __future__ import annotations

from typing import Any

import msgspec

from otari_daemon.domain.intent import presumed_tokens
from otari_daemon.domain.token_count import estimated_tokens
from otari_daemon.wire.chat_prompt import MEDIA_TOKENS, TEMPLATE_TOKENS
from otari_daemon.wire.chat_text import text_bytes
from otari_daemon.wire.dialect import Body

_NESTED = ("content", "source")
_SAID = {"text": "text", "thinking": "thinking", "redacted_thinking": "data"}
_CALLS = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})


def prompt_tokens(body: Body) -> int:
    """Estimate the tokens of a body that has been read before: system, turns and tools."""
    tools = body.get("tools")
    declared = estimated_tokens(_json(tools)) if tools else 0
    system = body.get("system")
    framed = TEMPLATE_TOKENS + _content(system) if system else 0
    turns = sum(TEMPLATE_TOKENS + _content(turn.get("content")) for turn in body["messages"])
    return declared + framed + turns


def _content(content: Any) -> int:
    """Text as it is, blocks and what is nested in them; a block without any of that is a medium."""
    if isinstance(content, str):
        return estimated_tokens(content)
    if isinstance(content, dict):
        return _block(content)
    return sum(map(_content, content)) if isinstance(content, list) else 0


def _block(block: Body) -> int:
    if block.get("type") in _CALLS:
        return estimated_tokens(_json([block.get("name"), block.get("input")]))
    for name in ("text", "thinking"):
        if isinstance(block.get(name), str):
            return estimated_tokens(block[name])
    if block.get("type") == "text" and isinstance(block.get("data"), str):
        return estimated_tokens(block["data"])
    nested = [block[name] for name in _NESTED if isinstance(block.get(name), str | list | dict)]
    return sum(map(_content, nested)) if nested else MEDIA_TOKENS


def generated_tokens(content: Any) -> int:
    """Estimate the output tokens of a whole answer's content."""
    blocks = content if isinstance(content, list) else []
    return sum(_written_tokens(block) for block in blocks if isinstance(block, dict))


def _written_tokens(block: Body) -> int:
    """Text by its pieces, anything else by its length."""
    said = block.get(_SAID.get(str(block.get("type")), ""))
    if isinstance(said, str) and block.get("type") != "redacted_thinking":
        return estimated_tokens(said)
    return presumed_tokens(block_bytes(block))


def block_bytes(block: Any) -> int:
    """UTF-8 bytes that the model wrote of a block: text, thought, a call; not what a server's tool found."""
    if not isinstance(block, dict):
        return text_bytes(block)
    kind = str(block.get("type"))
    if kind in _CALLS:
        return text_bytes(block.get("name")) + text_bytes(block.get("input"))
    return text_bytes(block.get(_SAID.get(kind, "")))


def delta_bytes(delta: Any) -> int:
    """UTF-8 bytes that one delta of a stream says; signatures and citations are not the model's words."""
    if not isinstance(delta, dict):
        return text_bytes(delta)
    said = delta.get("text") or delta.get("partial_json") or delta.get("thinking")
    return len(said) if isinstance(said, str) and said.isascii() else text_bytes(said)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
