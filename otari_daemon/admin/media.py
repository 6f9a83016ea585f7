"""Between Falcon and the protocol: bodies to messages, messages to bodies, failures to problems."""

from __future__ import annotations

import logging
from typing import TypeVar

import falcon
import msgspec
from falcon.asgi import Request, Response

from otari_daemon.domain.errors import GatewayError, InvalidRequest
from otari_daemon.protocol import codec
from otari_daemon.protocol.codec import FieldError
from otari_daemon.protocol.messages import Problem

BODY_BYTES_MAX = 1 << 20
"""No question of an operator is longer."""

_log = logging.getLogger("otari.admin")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
Q = TypeVar("Q")

_CODES = {
    404: "unknown_route",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}


async def question(req: Request, cls: type[Q]) -> Q:
    """Read the body as a message; raise `InvalidRequest` or `FieldError` for anything else."""
    body = await req.stream.read(BODY_BYTES_MAX + 1)
    if len(body) > BODY_BYTES_MAX:
        raise falcon.HTTPContentTooLarge(title=f"the body is over {BODY_BYTES_MAX} bytes")
    try:
        data = _decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidRequest("the body is not JSON") from error
    return codec.accept(cls, data)


def answer(resp: Response, value: object) -> None:
    """Put a message, or a list of them, into the response."""
    resp.content_type = falcon.MEDIA_JSON
    resp.data = _encode(codec.dump(value))


def encode(value: object) -> bytes:
    """A message as one line of JSON."""
    return _encode(codec.dump(value))


def problem(resp: Response, status: int, told: Problem) -> None:
    """Answer with a problem."""
    resp.status = status
    answer(resp, told)


async def on_gateway_error(_req: Request, resp: Response, error: GatewayError, _params: object) -> None:
    """A refusal or failure that has a name."""
    if error.retry_after_s is not None:
        resp.set_header("Retry-After", str(error.retry_after_s))
    problem(resp, error.status, Problem(error.code, error.message, field=error.param))


async def on_field_error(_req: Request, resp: Response, error: FieldError, _params: object) -> None:
    """A question that does not have the shape it should."""
    problem(resp, 422, Problem("invalid_request", str(error), field=error.field or None))


async def on_http_error(_req: Request, resp: Response, error: falcon.HTTPError, _params: object) -> None:
    """What Falcon itself refuses: no such route, no such method."""
    status = error.status_code
    resp.set_headers(error.headers or {})
    problem(resp, status, Problem(_CODES.get(status, "invalid_request"), _message(error)))


async def on_defect(req: Request, resp: Response, error: Exception, _params: object) -> None:
    """A defect of ours: logged in full, answered without its cause."""
    _log.error("%s %s failed", req.method, req.path, exc_info=error)
    told = Problem("internal_error", "the daemon failed to answer", hint="its log says why")
    problem(resp, 500, told)


def _message(error: falcon.HTTPError) -> str:
    if error.status_code == 404:
        return "no such route on this daemon's admin socket"
    if error.status_code == 405:
        return "this route does not take that method"
    return error.title or "the request cannot be served"
