"""Tools and the choice among them: Messages' shapes said as Chat's."""

from __future__ import annotations

from typing import Any

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.fields import items, mapping, refuse, text, without_nulls, word

_CHOICES = {"auto": "auto", "any": "required", "none": "none", "tool": "tool"}


def say_tools(out: Body, body: Body) -> None:
    """Set `tools`, `tool_choice` and `parallel_tool_calls` of the Chat request `out`."""
    tools = items(body.get("tools"), "tools")
    if tools:
        out["tools"] = [_tool(mapping(tool, f"tools[{at}]"), f"tools[{at}]") for at, tool in enumerate(tools)]
    if body.get("tool_choice") is None:
        return
    choice = mapping(body["tool_choice"], "tool_choice")
    chosen = _choice(choice)
    if tools or chosen not in ("auto", "none"):
        out["tool_choice"] = chosen
    if tools and choice.get("disable_parallel_tool_use") is True:
        out["parallel_tool_calls"] = False


def _tool(tool: Body, path: str) -> Body:
    if tool.get("type") == "function":
        return tool
    if tool.get("type") not in (None, "custom"):
        refuse(f"{path}.type", "must be custom: this provider has no tools of its own here")
    function = {
        "name": text(tool.get("name"), f"{path}.name"),
        "description": tool.get("description"),
        "parameters": mapping(tool.get("input_schema"), f"{path}.input_schema"),
        "strict": tool.get("strict"),
    }
    return {"type": "function", "function": without_nulls(function)}


def _choice(choice: Body) -> Any:
    kind = word(choice.get("type"), "tool_choice.type", _CHOICES)
    if kind != "tool":
        return kind
    return {"type": "function", "function": {"name": text(choice.get("name"), "tool_choice.name")}}
