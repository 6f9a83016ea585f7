"""Bounding a Messages request: what its tools, its media and its kind of service can make it come to."""

from __future__ import annotations

from typing import Any

from otari_daemon.domain.errors import InvalidRequest
from otari_daemon.domain.pricing import ONE_REQUEST
from otari_daemon.domain.usage import Usage
from otari_daemon.wire.dialect import Body
from otari_daemon.wire.fields import OUTPUT_TOKENS_MAX, listed, positive

MESSAGES_MAX = 4096
TOOLS_MAX = 256
SERVERS_MAX = 64

SERVER_CALLS_MAX = 32
"""Held for a tool that runs at the provider and has no `max_uses`."""

USES_MAX = 1000

FOUND_TOKENS = 32_768
"""Held for what one such call puts into the prompt."""

TOOLS_PROMPT_TOKENS = 1024
"""More than a provider's own words about tools come to: once for all, and once for each tool of its own."""

SUMMARY_TOKENS = 32_768
"""Held for the summary where a provider may sum a long conversation up, which takes reading it once more."""

_REFUSED = {
    "billing_policy": "is set by the gateway's operator, not in a request",
    "fallbacks": "would run models that were not asked for here; ask for each one itself",
    "thread": "goes on from what only the provider has; send the whole conversation",
    "workspace_id": "is set by the gateway's operator, not in a request",
}

_MEDIA = frozenset({"image", "document", "container_upload"})
_OURS = frozenset({None, "custom", "function"})
_RUN_BY_CALLERS = ("bash_", "text_editor_", "computer_", "memory_")
_CLIENT_USUAL = {"speed": "standard", "inference_geo": "global"}


def refuse_unbounded(body: Body) -> None:
    """Refuse fields that choose who pays, or that make a request cost what its body does not bound."""
    for name, reason in _REFUSED.items():
        if body.get(name) is not None:
            raise InvalidRequest(f"{name} {reason}", param=name)


def messages_of(body: Body) -> list[Any]:
    """The turns, at least one, each an object with a role. Raises InvalidRequest."""
    messages = listed(body, "messages", MESSAGES_MAX)
    if not messages:
        raise InvalidRequest("messages must have at least one message", param="messages")
    for position, message in enumerate(messages):
        if not isinstance(message, dict):
            raise InvalidRequest(f"messages[{position}] must be an object", param="messages")
        if not isinstance(message.get("role"), str):
            raise InvalidRequest(f"messages[{position}]: 'role' is required", param="messages")
    return messages


def output_max_of(body: Body) -> int:
    """The most tokens the answer may have; thoughts between calls may pass `max_tokens`."""
    most = positive(body, "max_tokens", OUTPUT_TOKENS_MAX)
    if most is None:
        raise InvalidRequest("max_tokens is required", param="max_tokens")
    thinking = body.get("thinking")
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    if type(budget) is int and most < budget <= OUTPUT_TOKENS_MAX:
        return budget
    return most


def service_of(body: Body) -> str | None:
    """The one kind of service asked for that may have a price of its own; admission judges whether it has."""
    asked = []
    for name in ("service_tier", "speed", "inference_geo"):
        value = body.get(name)
        if value is not None and not isinstance(value, str):
            raise InvalidRequest(f"{name} must be a string", param=name)
        if value is not None and value != _CLIENT_USUAL.get(name):
            asked.append(value)
    dear = [each for each in asked if each not in ("auto", "standard_only")]
    if len(dear) > 1:
        raise InvalidRequest("speed and inference_geo have no price together; ask for one", param="speed")
    return next(iter(dear or asked), None)


def media_of(body: Body, messages: list[Any]) -> int:
    """How many pictures and documents are shown, whose size in tokens is not that of their bytes."""
    found, open_blocks = 0, [body.get("system"), *[message.get("content") for message in messages]]
    while open_blocks:
        each = open_blocks.pop()
        if isinstance(each, list):
            open_blocks += each
        elif isinstance(each, dict):
            found += each.get("type") in _MEDIA if isinstance(each.get("type"), str) else 0
            open_blocks += [
                part for name in ("content", "source") if isinstance(part := each.get(name), list | dict)
            ]
    return found


def tool_tokens(body: Body, calls: int) -> int:
    """Bound what tools add to the prompt beyond their own bytes; `calls` run at the provider."""
    tools = listed(body, "tools", TOOLS_MAX)
    if not tools and not calls:
        return 0
    foreign = sum(1 for tool in tools if not (isinstance(tool, dict) and tool.get("type") in _OURS))
    return TOOLS_PROMPT_TOKENS * (1 + foreign) + calls * FOUND_TOKENS


def summaries(body: Body) -> int:
    """How many times the provider may sum the conversation up on its way: once, if that is asked for."""
    if body.get("compaction") is not None:
        return 1
    managed = body.get("context_management")
    edits = managed.get("edits") if isinstance(managed, dict) else None
    kinds = [each.get("type") for each in edits if isinstance(each, dict)] if isinstance(edits, list) else []
    return int(any(isinstance(kind, str) and kind.startswith("compact") for kind in kinds))


def server_calls(body: Body) -> int:
    """The most calls of tools that run at the provider."""
    servers = len(listed(body, "mcp_servers", SERVERS_MAX))
    tools = listed(body, "tools", TOOLS_MAX)
    return servers * SERVER_CALLS_MAX + sum(map(_uses, tools))


def pieces_of(calls: int) -> Usage:
    """What is priced by the piece."""
    return ONE_REQUEST._replace(tool_calls=calls) if calls else ONE_REQUEST


def _uses(tool: Any) -> int:
    kind = tool.get("type") if isinstance(tool, dict) else None
    if kind in _OURS or not isinstance(kind, str) or kind.startswith(_RUN_BY_CALLERS):
        return 0
    return positive(tool, "max_uses", USES_MAX) or SERVER_CALLS_MAX
