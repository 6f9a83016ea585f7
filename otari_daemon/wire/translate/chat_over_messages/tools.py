"""Tools, the choice among them, and their ids: Chat's shapes said as Messages'."""

from __future__ import annotations

import re
from typing import Any

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.fields import mapping, refuse, text, without_nulls, word

_UNSAFE = re.compile(r"[^A-Za-z0-9-]")
_SAFE_ID = re.compile(r"[A-Za-z0-9_-]+")
_CHOICES = {"auto": "auto", "none": "none", "required": "any"}


def tools_of(tools: list[Any]) -> list[Body]:
    """Function tools as Messages tools; one that is in Messages' shape already passes."""
    return [_tool(mapping(tool, f"tools[{at}]"), f"tools[{at}]") for at, tool in enumerate(tools)]


def tool_choice_of(choice: Any, parallel: Any, has_tools: bool) -> Body | None:
    """Messages' `tool_choice` for Chat's, and for `parallel_tool_calls`; None to say nothing."""
    if parallel is not None and not isinstance(parallel, bool):
        refuse("parallel_tool_calls", "must be true or false")
    if not has_tools and choice in (None, "auto", "none"):
        return None
    chosen = _choice("auto" if choice is None else choice)
    if parallel is False and chosen["type"] != "none":
        chosen["disable_parallel_tool_use"] = True
    return chosen if choice is not None or parallel is False else None


def safe_id(call_id: str) -> str:
    """A call's id in the characters Messages takes; most have no others and stay as they are."""
    if _SAFE_ID.fullmatch(call_id):
        return call_id
    return "x_" + _UNSAFE.sub(lambda found: f"_{ord(found[0]):x}_", call_id)


def _tool(tool: Body, path: str) -> Body:
    if "input_schema" in tool:
        return tool
    if tool.get("type") != "function":
        refuse(f"{path}.type", "must be function for this provider")
    function = mapping(tool.get("function"), f"{path}.function")
    parameters = function.get("parameters")
    schema = {} if parameters is None else mapping(parameters, f"{path}.function.parameters")
    return without_nulls(
        {
            "name": text(function.get("name"), f"{path}.function.name"),
            "description": function.get("description"),
            "input_schema": schema or {"type": "object", "properties": {}},
            "strict": function.get("strict"),
            "cache_control": tool.get("cache_control"),
        }
    )


def _choice(choice: Any) -> Body:
    if not isinstance(choice, dict):
        return {"type": word(choice, "tool_choice", _CHOICES)}
    if choice.get("type") != "function":
        refuse("tool_choice.type", "must be function for this provider")
    function = mapping(choice.get("function"), "tool_choice.function")
    return {"type": "tool", "name": text(function.get("name"), "tool_choice.function.name")}
