"""Failures as the admin protocol tells them."""

from __future__ import annotations

import logging

import falcon
from falcon.asgi import Request, Response

from otari_daemon.domain.errors import GatewayError
from otari_daemon.protocol.codec import FieldError
from otari_daemon.protocol.messages import Problem
from otari_daemon.rest.media import answer

_log = logging.getLogger("otari.admin")

_CODES = {
    404: "unknown_route",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}


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
