"""The routes of the public edge."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import falcon
import falcon.asgi
from falcon.asgi import Request, Response

from otari_daemon.api.headers import REQUEST_ID, Envelope
from otari_daemon.api.health import HealthResource, LivenessResource, ReadinessResource
from otari_daemon.api.home import HomeResource
from otari_daemon.api.inference import InferenceResource
from otari_daemon.api.models import ListModels, ModelsResource
from otari_daemon.api.passing import passed_headers
from otari_daemon.domain.errors import GatewayError, InvalidRequest, NotFound
from otari_daemon.pipeline.gateway import Gateway
from otari_daemon.wire.chat import ChatDialect
from otari_daemon.wire.count_tokens import CountTokensDialect
from otari_daemon.wire.messages import MessagesDialect
from otari_daemon.wire.openai_errors import error_body
from otari_daemon.wire.responses import ResponsesDialect

_log = logging.getLogger("otari.api")


class Edge(NamedTuple):
    """What the public edge needs from the rest: all of it may change under a reload."""

    gateway: Callable[[], Gateway]
    models_of: ListModels
    ready: Callable[[], bool]
    name_request: Callable[[], str]


def create_app(edge: Edge) -> Envelope:
    """The ASGI application of the public edge."""
    app: falcon.asgi.App[Request, Response] = falcon.asgi.App(media_type="application/json")
    app.req_options.strip_url_path_trailing_slash = False
    app.add_route("/", HomeResource())
    app.add_route("/health", HealthResource())
    app.add_route("/health/liveness", LivenessResource())
    app.add_route("/health/readiness", ReadinessResource(edge.ready))
    models = ModelsResource(edge.models_of)
    app.add_route("/v1/models", models)
    app.add_route("/v1/models/{model:path}", models, suffix="one")
    for dialect in (ChatDialect(), ResponsesDialect()):
        app.add_route(dialect.endpoint, InferenceResource(dialect, edge.gateway))
    for anthropic in (MessagesDialect(), CountTokensDialect()):
        app.add_route(anthropic.endpoint, InferenceResource(anthropic, edge.gateway, passed_headers))
    app.add_error_handler(Exception, _unforeseen)
    app.add_error_handler(falcon.HTTPError, _falcon_refusal)
    return Envelope(app, edge.name_request)


async def _falcon_refusal(
    req: Request,
    resp: Response,
    ex: falcon.HTTPError,
    params: dict[str, Any],  # noqa: ARG001 - falcon's signature
) -> None:
    """Falcon's own refusals (no such route, no such method) in our shape."""
    status = ex.status_code
    if status == 404:
        error: GatewayError = NotFound("no such endpoint; check the path")
    else:
        error = InvalidRequest(ex.title.lower())
        error.status = status
    for name, value in (ex.headers or {}).items():  # type: ignore[union-attr]  # falcon also allows pairs
        resp.set_header(name, value)
    _render(req, resp, error)


async def _unforeseen(
    req: Request,
    resp: Response,
    ex: Exception,
    params: dict[str, Any],  # noqa: ARG001 - falcon's signature
) -> None:
    """A defect of ours: the log has the cause, the caller an id to quote."""
    _log.error("request %s failed unforeseen", req.scope[REQUEST_ID], exc_info=ex)
    _render(req, resp, GatewayError("internal error; quote the request id to the operator"))


def _render(req: Request, resp: Response, error: GatewayError) -> None:
    resp.status = error.status
    resp.content_type = "application/json"
    resp.data = error_body(error, req.scope[REQUEST_ID])
