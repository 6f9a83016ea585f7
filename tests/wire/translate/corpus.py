"""Requests that every translator should understand alike, by name."""

from __future__ import annotations

from typing import Any

_PLACE = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}
_PNG = "data:image/png;base64,iVBORw0KGgo="


def _user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def _call(name: str, arguments: str = '{"place":"Wien"}') -> dict[str, Any]:
    return {"id": name, "type": "function", "function": {"name": "weather", "arguments": arguments}}


_TOOL = {
    "type": "function",
    "function": {"name": "weather", "description": "Of a place", "parameters": _PLACE},
}
_SAID = [
    {"role": "system", "content": "Be brief."},
    _user("Where does it rain?"),
    {"role": "assistant", "content": "I look.", "tool_calls": [_call("call_1"), _call("call_2", "{}")]},
    {"role": "tool", "tool_call_id": "call_1", "content": "here"},
    {"role": "tool", "tool_call_id": "call_2", "content": "there"},
    _user("And now?"),
]


def _chat(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"model": "m", "max_completion_tokens": 4096, "messages": list(messages), **more}


CHAT: dict[str, dict[str, Any]] = {
    "one word": _chat(_user("hi")),
    "scripts": _chat(_user("Gr\u00fc\u00df Gott, \u6f22\u5b57 \U0001f600 \u2028")),
    "system": _chat({"role": "system", "content": "Be brief."}, _user("hi")),
    "developer": _chat({"role": "developer", "content": "Be brief."}, _user("hi")),
    "turns": _chat(_user("hi"), {"role": "assistant", "content": "hello"}, _user("bye")),
    "parts": _chat(_user([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])),
    "picture inside": _chat(_user([{"type": "image_url", "image_url": {"url": _PNG}}])),
    "picture elsewhere": _chat(
        _user([{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}])
    ),
    "tool": _chat(_user("hi"), tools=[_TOOL]),
    "tool required": _chat(_user("hi"), tools=[_TOOL], tool_choice="required"),
    "tool named": _chat(
        _user("hi"), tools=[_TOOL], tool_choice={"type": "function", "function": {"name": "weather"}}
    ),
    "one call at a time": _chat(_user("hi"), tools=[_TOOL], tool_choice="auto", parallel_tool_calls=False),
    "calls and results": _chat(*_SAID, tools=[_TOOL]),
    "sampling": _chat(_user("hi"), temperature=0.5, top_p=0.9, stop=["a", "b"], stream=True),
    "one stop": _chat(_user("hi"), stop="end"),
}
