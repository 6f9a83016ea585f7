"""Errors as Anthropic's clients read them."""

from __future__ import annotations

import msgspec

from otari_daemon.domain.errors import AlreadyCompleted, GatewayError
from otari_daemon.wire.completed import completed_fields
from otari_daemon.wire.sse import frame

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def error_body(error: GatewayError, request_id: str) -> bytes:
    """`{"type": "error", "error": {type, message}, "request_id"}` as JSON; the status gives the type."""
    usual = "invalid_request_error" if error.status < 500 else "api_error"
    told = {"type": _TYPES.get(error.status, usual), "message": error.message}
    if isinstance(error, AlreadyCompleted):
        told |= completed_fields(error)
    return msgspec.json.encode({"type": "error", "error": told, "request_id": request_id})


def error_event(error: GatewayError, request_id: str) -> bytes:
    """The same as the event that ends a stream."""
    return b"event: error\n" + frame(error_body(error, request_id))
