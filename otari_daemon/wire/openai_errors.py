"""Errors as OpenAI's clients read them; `detail` keeps the predecessor's clients working."""

from __future__ import annotations

import msgspec

from otari_daemon.domain.errors import GatewayError


def error_body(error: GatewayError, request_id: str) -> bytes:
    """`{"error": {message, type, param, code}, "detail", "request_id"}` as JSON."""
    return msgspec.json.encode(
        {
            "error": {
                "message": error.message,
                "type": error.type,
                "param": error.param,
                "code": error.code,
            },
            "detail": error.message,
            "request_id": request_id,
        }
    )
