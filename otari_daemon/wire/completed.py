"""What an `already_completed` error tells of the request that used the key, in every dialect alike."""

from __future__ import annotations

from typing import Any

from otari_daemon.domain.errors import AlreadyCompleted
from otari_daemon.domain.money import format_usd


def completed_fields(error: AlreadyCompleted) -> dict[str, Any]:
    """The members to add to an error object: `usage` with its cost, and the first `request`."""
    done = error.completed
    usage = done.usage
    return {
        "usage": {
            "prompt_tokens": usage.input_tokens,
            "completion_tokens": usage.output_tokens,
            "total_tokens": usage.input_tokens + usage.output_tokens,
            "cost_usd": format_usd(done.amount),
        },
        "request": {
            "id": done.request_id,
            "status": done.status or None,
            "reason": done.reason.name.lower(),
        },
    }
