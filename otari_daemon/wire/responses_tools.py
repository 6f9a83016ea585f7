"""What a response's tools can come to beyond its own tokens: calls that are charged, and rounds of the model.

Three sorts of tools: those the caller runs, which cost their declarations; those the provider runs that have
only tokens to pay for; and those it also charges by the call. A tool of none of these has no bound here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from otari_daemon.domain.errors import InvalidRequest
from otari_daemon.wire.fields import listed, positive

TOOLS_MAX = 256
CALLS_MAX = 128
CALLS_ASSUMED = 8
"""Calls of the provider's tools allowed in one response, where the caller sets no `max_tool_calls`."""

PLAIN = frozenset({"function", "custom", "namespace"})
"""Tools whose declarations are all there is to them."""

_CALLERS = PLAIN | {"apply_patch", "computer", "computer_use_preview", "local_shell", "shell"}
_ROUNDS_ONLY = frozenset({"mcp", "tool_search"})
_BY_THE_CALL = frozenset(
    {
        "code_interpreter",
        "file_search",
        "web_search",
        "web_search_2025_08_26",
        "web_search_preview",
        "web_search_preview_2025_03_11",
    }
)
_BRINGS_TOOLS = ("additional_tools", "tool_search_output")
_SMALLEST_CONTAINER = "1g"


class Tools(NamedTuple):
    """How many tools have declarations of the provider's; how often it calls its own; how often for money."""

    built_in: int = 0
    calls: int = 0
    charged_calls: int = 0


NONE = Tools()


def read_tools(body: dict[str, Any]) -> Tools:
    """The tools of a body and of its input's items. Raises InvalidRequest for one that cannot be bounded."""
    built_in, runs, charges = 0, False, False
    for tool in _all(body):
        kind = _kind(tool)
        if kind not in PLAIN:
            built_in += 1
        runs = runs or kind not in _CALLERS
        charges = charges or kind in _BY_THE_CALL
    if not built_in:
        return NONE
    calls = positive(body, "max_tool_calls", CALLS_MAX) or CALLS_ASSUMED if runs else 0
    return Tools(built_in, calls, calls if charges else 0)


def _all(body: dict[str, Any]) -> Iterator[Any]:
    yield from _flat(listed(body, "tools", TOOLS_MAX))
    items = body.get("input")
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and item.get("type") in _BRINGS_TOOLS:
            yield from _flat(listed(item, "tools", TOOLS_MAX))


def _flat(tools: list[Any]) -> Iterator[Any]:
    """Tools, and after each namespace those in it; the body's own depth bounds this."""
    for tool in tools:
        yield tool
        if isinstance(tool, dict) and tool.get("type") == "namespace":
            yield from _flat(listed(tool, "tools", TOOLS_MAX))


def _kind(tool: Any) -> str:
    kind = tool.get("type") if isinstance(tool, dict) else None
    if not isinstance(kind, str):
        raise InvalidRequest("each of the tools must be an object with a type", param="tools")
    if kind not in _CALLERS and kind not in _ROUNDS_ONLY and kind not in _BY_THE_CALL:
        raise _unbounded(f"tools of type {kind[:64]!r}")
    if kind == "shell" and _type_of(tool.get("environment")) != "local":
        raise _unbounded("a shell that is not in a local environment")
    if kind == "code_interpreter" and _memory(tool) not in (None, _SMALLEST_CONTAINER):
        raise _unbounded(f"a container with more memory than {_SMALLEST_CONTAINER!r}")
    if kind == "tool_search" and tool.get("execution") == "client":
        return "function"  # run by the caller like any other
    return kind


def _unbounded(what: str) -> InvalidRequest:
    return InvalidRequest(f"what {what} would cost cannot be bounded; leave it out", param="tools")


def _type_of(value: Any) -> Any:
    return value.get("type") if isinstance(value, dict) else None


def _memory(tool: dict[str, Any]) -> Any:
    container = tool.get("container")
    return container.get("memory_limit") if isinstance(container, dict) else None
