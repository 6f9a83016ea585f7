"""One resource for every billable endpoint: the dialect differs, the route does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import quote

from falcon.asgi import Request, Response

from otari_daemon.api.credentials import credential
from otari_daemon.api.headers import REQUEST_ID, NobodyWatches
from otari_daemon.api.idempotency import idempotency_key
from otari_daemon.api.standing import tell
from otari_daemon.domain.errors import GatewayError, RateLimited, ReaderLeft
from otari_daemon.domain.records import Instead
from otari_daemon.pipeline.gateway import Call, Gateway
from otari_daemon.pipeline.replies import Reply, WholeReply
from otari_daemon.providers.upstream import Headers
from otari_daemon.wire.dialect import Dialect
from otari_daemon.wire.request_tags import tags_header

READER = "otari.reader"


def no_headers(headers: Iterable[tuple[bytes, bytes]]) -> Headers:  # noqa: ARG001 - as `passed_headers`
    """What most dialects pass on of a client's headers."""
    return ()


class InferenceResource:
    """`POST` of one dialect; `passed` picks the client's headers that go on to the provider."""

    def __init__(
        self,
        dialect: Dialect,
        gateway: Callable[[], Gateway],
        passed: Callable[[Iterable[tuple[bytes, bytes]]], Headers] = no_headers,
    ) -> None:
        self._dialect = dialect
        self._gateway = gateway
        self._passed = passed

    async def on_post(self, req: Request, resp: Response) -> None:
        """Authenticate before the body is read; then the pipeline."""
        gateway = self._gateway()  # a reload swaps it; this request keeps the one it met
        scope = req.scope
        request_id: str = scope[REQUEST_ID]
        dialect = self._dialect
        try:
            token = credential(scope["headers"])
            name = idempotency_key(scope["headers"])
            own = self._passed(scope["headers"])
            caller = await gateway.authenticate(token, request_id, dialect.endpoint)
            body = await req.stream.read()
            reader = scope.get(READER) or NobodyWatches()
            tags = tags_header(scope["headers"])
            call = Call(dialect, caller, request_id, body, reader, name, tags, headers=own)
            reply = await gateway.complete(call)
        except GatewayError as error:
            answer_error(resp, dialect, error, request_id)
        except ReaderLeft:
            resp.status = 499
        else:
            tell_reply(resp, reply)


def tell_reply(resp: Response, reply: Reply) -> None:
    """Put a reply into the response, and in its headers who answered and what is left of limits."""
    if isinstance(reply, WholeReply):
        if reply.replayed:
            resp.set_header("idempotent-replayed", "true")
        resp.data = reply.body
        resp.content_type = reply.content_type.decode("latin-1")
    else:
        resp.stream = reply
        resp.content_type = reply.content_type
    resp.set_header("x-otari-provider", reply.provider)
    if reply.standing is not None:
        tell(resp, reply.standing)
    if reply.instead is not None:
        _tell_instead(resp, reply.instead)


def answer_error(resp: Response, dialect: Dialect, error: GatewayError, request_id: str) -> None:
    """Render a refusal or failure in the caller's dialect."""
    resp.status = error.status
    resp.data = dialect.error_body(error, request_id)
    resp.content_type = "application/json"
    if error.retry_after_s is not None:
        resp.set_header("retry-after", str(error.retry_after_s))
    if isinstance(error, RateLimited):
        if error.retry_after_ms is not None:
            resp.set_header("retry-after-ms", str(error.retry_after_ms))
        if error.standing is not None:
            tell(resp, error.standing)
    if not error.retryable:
        resp.set_header("x-should-retry", "false")


def _tell_instead(resp: Response, instead: Instead) -> None:
    """Say which model ran, for which one, and which budget had no room for that."""
    resp.set_header("x-otari-model", quote(instead.model, safe=":/@+"))
    asked, budget = quote(instead.asked, safe=":/@+"), quote(instead.budget, safe=":")
    resp.set_header("x-otari-fallback", f"budget_exceeded; budget={budget}; asked={asked}")
