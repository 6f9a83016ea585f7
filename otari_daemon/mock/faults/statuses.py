"""Faults by status: what providers say when they decline."""

from functools import partial
from typing import NamedTuple

from otari_daemon.mock.exchange import Exchange
from otari_daemon.mock.faults.table import Fault
from otari_daemon.mock.frames import head, whole
from otari_daemon.mock.refusal import error_body
from otari_daemon.mock.shapes import usage_json


class Status(NamedTuple):
    """One declining answer: status, OpenAI's error type and code, and the message."""

    status: int
    kind: str
    code: str | None
    message: str


_INVALID = "invalid_request_error"

_STATUSES = {
    "s400": Status(400, _INVALID, None, "mock: the request is malformed"),
    "s401": Status(401, _INVALID, "invalid_api_key", "mock: incorrect API key"),
    "s403": Status(403, _INVALID, "permission_denied", "mock: not permitted"),
    "s404": Status(404, _INVALID, "model_not_found", "mock: no such model"),
    "s408": Status(408, "timeout_error", None, "mock: the request took too long"),
    "s409": Status(409, "conflict_error", None, "mock: conflict"),
    "s413": Status(413, _INVALID, "request_too_large", "mock: the request is too large"),
    "s422": Status(422, _INVALID, None, "mock: the request cannot be processed"),
    "s500": Status(500, "server_error", None, "mock: internal error"),
    "s502": Status(502, "server_error", None, "mock: bad gateway"),
    "s504": Status(504, "server_error", None, "mock: gateway timeout"),
    "s529": Status(529, "overloaded_error", "overloaded", "mock: overloaded"),
    "s200_error": Status(200, "server_error", "internal_error", "mock: failed, yet says 200"),
}
_RETRY_LATER = {
    "s429": Status(429, "rate_limit_error", "rate_limit_exceeded", "mock: too many requests"),
    "s503": Status(503, "server_error", "overloaded", "mock: unavailable"),
}
_REDIRECTS = {
    "redirect_same": (307, b"/v1/chat/completions"),
    "redirect_metadata": (302, b"http://169.254.169.254/latest/meta-data/"),
}


def _body(status: Status) -> bytes:
    return error_body(status.message, status.kind, status.code)


async def _decline(x: Exchange, _: int, *, status: Status) -> None:
    x.last(whole(status.status, _body(status), x.tag))


async def _decline_for(x: Exchange, retry_after_s: int, *, status: Status) -> None:
    x.last(whole(status.status, _body(status), x.tag, b"retry-after: %d" % retry_after_s))


async def _decline_billed(x: Exchange, _: int, *, status: Status) -> None:
    """Decline after the work was done: the error stands beside the usage that is charged."""
    x.generate(x.answer.usage.completion_tokens)
    error = _body(status)[:-1] + b',"usage":' + usage_json(x.answer.usage) + b"}"
    x.last(whole(status.status, error, x.tag))


async def _redirect(x: Exchange, _: int, *, status: int, location: bytes) -> None:
    x.last(head(status, b"location: " + location, b"content-length: 0", x.tag))


async def _no_content(x: Exchange, _: int) -> None:
    x.last(head(204, x.tag))


FAULTS = (
    {n: Fault(partial(_decline, status=s), executes=False) for n, s in _STATUSES.items()}
    | {n: Fault(partial(_decline_for, status=s), default=1, executes=False) for n, s in _RETRY_LATER.items()}
    | {
        n: Fault(partial(_redirect, status=status, location=location), executes=False)
        for n, (status, location) in _REDIRECTS.items()
    }
    | {
        f"{n}_billed": Fault(partial(_decline_billed, status=_STATUSES[n]))
        for n in ("s400", "s500", "s200_error")
    }
    | {"s204": Fault(_no_content, executes=False)}
)
