"""Errors as OpenAI's clients read them; `detail` keeps the predecessor's clients working."""

from __future__ import annotations

import msgspec

from otari_daemon.domain.errors import AlreadyCompleted, GatewayError
from otari_daemon.wire.completed import completed_fields


def error_body(error: GatewayError, request_id: str) -> bytes:
    """`{"error": {message, type, param, code}, "detail", "request_id"}` as JSON."""
    return msgspec.json.encode(
        {
            "error": {
                "message": error.message,
                "type": error.type,
                "param": error.param,
                "code": error.code,
                **(completed_fields(error) if isinstance(error, AlreadyCompleted) else {}),
            },
            "detail": error.message,
            "request_id": request_id,
        }
    )
