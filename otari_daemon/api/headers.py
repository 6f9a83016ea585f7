"""What every answer carries: a request id, and the headers that keep browsers and caches out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

REQUEST_ID = "otari.request_id"
API_PREFIX = "/api/v1"

NAMED = ("/v1/keys/", "/v1/users/", "/v1/budgets/", "/v1/pricing/")
"""Where an id or name of anybody's choice follows: these are routed as they were sent, so that it may hold
a slash, and decoded by whoever takes them apart."""

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_PRIVATE = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"cache-control", b"private, no-store, no-cache"),
    (b"vary", b"Authorization"),
)


class NobodyWatches:
    """Stands for the reader under servers that cannot tell whether a client is still there."""

    def on_gone(self, callback: Callable[[], None]) -> None:
        """The client never leaves."""

    def forget(self, callback: Callable[[], None]) -> None:
        """Nothing to forget."""


class Envelope:
    """The ASGI layer around Falcon: names each request, and answers `/api/v1` as `/v1`."""

    def __init__(self, app: App, name_request: Callable[[], str]) -> None:
        self._app = app
        self._name_request = name_request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; lifespan events go straight through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope[REQUEST_ID] = self._name_request()
        path: str = scope["path"]
        if path.startswith(API_PREFIX):
            scope["path"] = path[4:]
        if b"%" in scope["raw_path"] and scope["path"].startswith(NAMED):
            scope["path"] = _as_sent(scope["raw_path"])
        named = (b"x-request-id", request_id.encode())

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), named, *_PRIVATE]
            await send(message)

        await self._app(scope, receive, send_named)


def _as_sent(raw_path: bytes) -> str:
    path = raw_path.decode("ascii")
    return path[4:] if path.startswith(API_PREFIX) else path
