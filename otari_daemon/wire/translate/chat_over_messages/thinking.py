"""How much a model may think: OpenAI's words and Anthropic's budgets of tokens, both ways."""

from __future__ import annotations

from typing import Any

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.fields import refuse

BUDGET_TOKENS_MIN = 1024
"""Messages refuses to think on less."""

BUDGETS = {
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 16384,
    "xhigh": 32768,
    "max": 65536,
}
"""Tokens to think on for each effort, the least first."""


def thinking_of(effort: Any, max_tokens: int, request: Body) -> Body | None:
    """The `thinking` member of a Messages request for a Chat `reasoning_effort`; None to say nothing.

    Four fifths of `max_tokens` at most are thought, since they count as output. Effort is a hint: it gives
    way where Messages would refuse to think, which is with less room than its least budget, with a forced
    tool, and in the middle of a tool's turn whose thoughts the caller did not send back.
    """
    if effort is None:
        return None
    if effort == "none":
        return {"type": "disabled"}
    wanted = BUDGETS.get(effort) if isinstance(effort, str) else None
    if wanted is None:
        refuse("reasoning_effort", f"must be one of none, {', '.join(BUDGETS)}")
    budget = min(wanted, max_tokens * 4 // 5)
    forced = request.get("tool_choice", {}).get("type") in ("any", "tool")
    if budget < BUDGET_TOKENS_MIN or forced or _lost_its_thoughts(request["messages"]):
        return None
    return {"type": "enabled", "budget_tokens": budget}


def effort_of(budget_tokens: int) -> str:
    """The least effort whose budget is as large as `budget_tokens`."""
    return next((effort for effort, most in BUDGETS.items() if budget_tokens <= most), "max")


def _lost_its_thoughts(messages: list[Body]) -> bool:
    """Whether the last turn of the model calls a tool and does not begin with a thought."""
    last = next((each["content"] for each in reversed(messages) if each["role"] == "assistant"), "")
    if isinstance(last, str):
        return False
    kinds = [block["type"] for block in last]
    return "tool_use" in kinds and kinds[0] not in ("thinking", "redacted_thinking")
