"""Tools and the choice among them: Responses' flat shapes and Chat's nested ones, both ways."""

from __future__ import annotations

from typing import Any

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.fields import dicts, items, mapping, refuse, text, without_nulls, word

_CHOICES = {each: each for each in ("auto", "none", "required")}
_FUNCTION = ("name", "description", "parameters", "strict")


def say_tools(out: Body, body: Body) -> None:
    """Set `tools`, `tool_choice` and `parallel_tool_calls` of the Chat request `out`."""
    tools = items(body.get("tools"), "tools")
    if tools:
        out["tools"] = [_tool(mapping(tool, f"tools[{at}]"), f"tools[{at}]") for at, tool in enumerate(tools)]
    choice, parallel = body.get("tool_choice"), body.get("parallel_tool_calls")
    if choice is not None and (tools or choice not in ("auto", "none")):
        out["tool_choice"] = _choice(choice)
    if parallel is None or not tools:
        return
    if not isinstance(parallel, bool):
        refuse("parallel_tool_calls", "must be true or false")
    out["parallel_tool_calls"] = parallel


def flat_tools(tools: Any) -> list[Body]:
    """The request's function tools as an answer repeats them."""
    flat = []
    for tool in dicts(tools):
        function = tool.get("function") if isinstance(tool.get("function"), dict) else tool
        flat.append({"type": "function", **{name: (function or {}).get(name) for name in _FUNCTION}})
    return flat


def _tool(tool: Body, path: str) -> Body:
    if tool.get("type") != "function":
        refuse(f"{path}.type", "must be function: this provider has no tools of its own here")
    if isinstance(tool.get("function"), dict):
        return tool
    text(tool.get("name"), f"{path}.name")
    function = without_nulls({name: tool.get(name) for name in _FUNCTION})
    return {"type": "function", "function": function}


def _choice(choice: Any) -> Any:
    if not isinstance(choice, dict):
        return word(choice, "tool_choice", _CHOICES)
    if choice.get("type") == "allowed_tools":
        mode = word(choice.get("mode"), "tool_choice.mode", {"auto": "auto", "required": "required"})
        named = [
            _named(mapping(tool, f"tool_choice.tools[{at}]"), f"tool_choice.tools[{at}]")
            for at, tool in enumerate(items(choice.get("tools"), "tool_choice.tools"))
        ]
        return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": named}}
    return _named(choice, "tool_choice")


def _named(choice: Body, path: str) -> Body:
    if choice.get("type") != "function":
        refuse(f"{path}.type", "must be function for this provider")
    return {"type": "function", "function": {"name": text(choice.get("name"), f"{path}.name")}}
