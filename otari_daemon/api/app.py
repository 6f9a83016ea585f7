"""The routes of the public edge."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import falcon
import falcon.asgi
from falcon.asgi import Request, Response

from otari_daemon.api.access import ACCESS, ME, MODEL
from otari_daemon.api.attempts import Attempts
from otari_daemon.api.gate import Gate, Guarded
from otari_daemon.api.headers import REQUEST_ID, Envelope
from otari_daemon.api.health import HealthResource, LivenessResource, ReadinessResource
from otari_daemon.api.home import HomeResource
from otari_daemon.api.inference import InferenceResource
from otari_daemon.api.management.routes import managed
from otari_daemon.api.me import Me
from otari_daemon.api.models import ListModels, Model, Models
from otari_daemon.api.passing import passed_headers
from otari_daemon.api.uploads import UploadResource
from otari_daemon.config.schema import Config
from otari_daemon.control.plane import Caller
from otari_daemon.domain.errors import GatewayError, InvalidField, InvalidRequest, NotFound
from otari_daemon.pipeline.gateway import Gateway
from otari_daemon.protocol.codec import FieldError
from otari_daemon.protocol.paths import MODELS
from otari_daemon.rest.operations import Operations
from otari_daemon.wire.chat import ChatDialect
from otari_daemon.wire.count_tokens import CountTokensDialect
from otari_daemon.wire.embeddings import EmbeddingsDialect
from otari_daemon.wire.image_edits import ImageEditsDialect
from otari_daemon.wire.images import ImagesDialect
from otari_daemon.wire.messages import MessagesDialect
from otari_daemon.wire.moderations import ModerationsDialect
from otari_daemon.wire.openai_errors import error_body
from otari_daemon.wire.rerank import RerankDialect
from otari_daemon.wire.responses import ResponsesDialect
from otari_daemon.wire.speech import SpeechDialect
from otari_daemon.wire.transcriptions import TranscriptDialect
from otari_daemon.wire.uploads import UploadDialect

PLAIN = (EmbeddingsDialect(), ModerationsDialect(), RerankDialect(), ImagesDialect(), SpeechDialect())

UPLOADS: tuple[UploadDialect, ...] = (
    TranscriptDialect("transcriptions"),
    TranscriptDialect("translations"),
    ImageEditsDialect(),
)

_log = logging.getLogger("otari.api")


class Edge(NamedTuple):
    """What the public edge needs from the rest: all of it may change under a reload."""

    gateway: Callable[[], Gateway]
    models_for: ListModels
    ready: Callable[[], bool]
    name_request: Callable[[], str]
    operations: Operations
    config: Callable[[], Config]
    monotonic_ns: Callable[[], int]


def create_app(edge: Edge) -> Envelope:
    """The ASGI application of the public edge."""
    app: falcon.asgi.App[Request, Response] = falcon.asgi.App(media_type="application/json")
    app.req_options.strip_url_path_trailing_slash = False
    app.add_route("/", HomeResource())
    app.add_route("/health", HealthResource())
    app.add_route("/health/liveness", LivenessResource())
    app.add_route("/health/readiness", ReadinessResource(edge.ready))
    for dialect in (ChatDialect(), ResponsesDialect(), *PLAIN):
        app.add_route(dialect.endpoint, InferenceResource(dialect, edge.gateway))
    for anthropic in (MessagesDialect(), CountTokensDialect()):
        app.add_route(anthropic.endpoint, InferenceResource(anthropic, edge.gateway, passed_headers))
    for upload in UPLOADS:
        app.add_route(upload.endpoint, UploadResource(upload, edge.gateway))
    gate = _gate(edge)
    guarded = {
        MODELS: Models(edge.models_for),
        MODEL: Model(edge.models_for),
        ME: Me(edge.operations),
        **managed(edge.operations, edge.config),
    }
    for path, resource in guarded.items():
        app.add_route(path, Guarded(gate, resource, ACCESS[path]))
    app.add_error_handler(Exception, _unforeseen)
    app.add_error_handler(falcon.HTTPError, _falcon_refusal)
    app.add_error_handler(FieldError, _misfit)
    app.add_error_handler(GatewayError, _refusal)
    return Envelope(app, edge.name_request)


def _gate(edge: Edge) -> Gate:
    def authenticate(token: bytes, request_id: str, endpoint: str) -> Awaitable[Caller]:
        return edge.gateway().authenticate(token, request_id, endpoint)

    return Gate(lambda: edge.config().master_key, authenticate, Attempts(edge.monotonic_ns))


async def _refusal(
    req: Request,
    resp: Response,
    ex: GatewayError,
    params: dict[str, Any],  # noqa: ARG001 - falcon's signature
) -> None:
    """A refusal or failure of management, which has a name."""
    if ex.retry_after_s is not None:
        resp.set_header("retry-after", str(ex.retry_after_s))
    if not ex.retryable:
        resp.set_header("x-should-retry", "false")
    _render(req, resp, ex)


async def _misfit(req: Request, resp: Response, ex: FieldError, params: dict[str, Any]) -> None:
    """A question to management that does not have the shape it should."""
    await _refusal(req, resp, InvalidField(str(ex), param=ex.field or None), params)


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
