"""What the front itself answers: small JSON errors on a connection that then closes."""

from __future__ import annotations

import http
import secrets
from collections.abc import Iterable
from typing import NamedTuple

import msgspec


class Refusal(NamedTuple):
    """An HTTP status, the error's code, and a message that may be public."""

    status: int
    code: str
    message: str


class Refused(Exception):
    """A request that goes no further; `refusal` says what the client is told."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def malformed(message: str) -> Refusal:
    """Return the 400 for a request that could be read in more than one way."""
    return Refusal(400, "malformed_request", message)


METHOD = Refusal(405, "method_not_allowed", "this method is not served; see the allow header")
TARGET_TOO_LONG = Refusal(414, "uri_too_long", "the request target is too long")
HEAD_TOO_LARGE = Refusal(431, "headers_too_large", "the request header is too large")
BODY_TOO_LARGE = Refusal(413, "body_too_large", "the request body is over the limit for this path")
ENCODING = Refusal(
    415, "unsupported_encoding", "send the body without a content-encoding; only identity is read"
)
EXPECTATION = Refusal(417, "expectation_failed", "the only expectation met is 100-continue")
HEAD_TIMEOUT = Refusal(408, "request_timeout", "the request header did not arrive in time")
BODY_TIMEOUT = Refusal(408, "request_timeout", "the request body did not arrive in time")
INTERNAL = Refusal(500, "internal_error", "internal error; quote the request id to the operator")
CONNECTIONS = Refusal(503, "too_many_connections", "the server has no connection to spare; retry later")

METHODS = frozenset((b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"))
_ALLOW = b"allow: " + b", ".join(sorted(METHODS)) + b"\r\n"


def render(refusal: Refusal, default_fields: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
    """Return the whole response, with a fresh request id and `connection: close`."""
    kind = "server_error" if refusal.status >= 500 else "invalid_request_error"
    error = {"message": refusal.message, "type": kind, "param": None, "code": refusal.code}
    body = msgspec.json.encode({"error": error, "detail": refusal.message})
    phrase = http.HTTPStatus(refusal.status).phrase
    lines = [f"HTTP/1.1 {refusal.status} {phrase}\r\n".encode()]
    lines += [name + b": " + value + b"\r\n" for name, value in default_fields]
    if refusal.status == 405:
        lines.append(_ALLOW)
    lines.append(
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        f"x-request-id: req_{secrets.token_hex(12)}\r\nconnection: close\r\n\r\n".encode()
    )
    return b"".join((*lines, body))
