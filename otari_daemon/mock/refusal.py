"""A request the mock declines, and how each API words that."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec


class Decline(NamedTuple):
    """One declining answer: status, OpenAI's error type and code, and the message."""

    status: int
    kind: str
    code: str | None
    message: str


Wording = Callable[[Decline, int], bytes]
"""The body that says a `Decline` of the request with that number."""


class Refused(Exception):
    """The request cannot be answered: an HTTP status and what to do about it."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        kind = "invalid_request_error" if status < 500 else "server_error"
        self.decline = Decline(status, kind, code, message)

    @property
    def body(self) -> bytes:
        """OpenAI's error object as JSON."""
        return openai_error(self.decline, 0)


def error_body(message: str, kind: str, code: str | None = None) -> bytes:
    """OpenAI's error object as JSON."""
    error = {"message": message, "type": kind, "param": None, "code": code}
    return msgspec.json.encode({"error": error})


def openai_error(decline: Decline, _number: int) -> bytes:
    """`decline` as OpenAI words it."""
    return error_body(decline.message, decline.kind, decline.code)


_ANTHROPIC_KINDS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def anthropic_error(decline: Decline, number: int) -> bytes:
    """`decline` as Anthropic words it: the type follows from the status."""
    usual = "invalid_request_error" if 400 <= decline.status < 500 else "api_error"
    error = {"type": _ANTHROPIC_KINDS.get(decline.status, usual), "message": decline.message}
    return msgspec.json.encode({"type": "error", "error": error, "request_id": f"req_mock_{number}"})
