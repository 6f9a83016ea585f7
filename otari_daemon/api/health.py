"""Whether the gateway lives, and whether it can serve."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from falcon.asgi import Request, Response

from otari_daemon import __version__


class HealthResource:
    """`GET /health`: the process answers."""

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002 - falcon's signature
        """Always healthy while it can answer."""
        resp.data = b'{"status":"healthy"}'


class LivenessResource:
    """`GET /health/liveness`."""

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002 - falcon's signature
        """The predecessor's words."""
        resp.data = b'"I\'m alive!"'


class ReadinessResource:
    """`GET /health/readiness`: 503 while draining or while the ledger cannot be written."""

    def __init__(self, ready: Callable[[], bool]) -> None:
        self._ready = ready

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002 - falcon's signature
        """Say whether new requests are welcome."""
        if self._ready():
            told = {"status": "healthy", "database": "connected", "version": __version__}
        else:
            resp.status = 503
            told = {"status": "unhealthy", "database": "unavailable", "version": __version__}
            resp.set_header("retry-after", "1")
        resp.data = msgspec.json.encode(told if resp.status == "200 OK" else {"detail": told})
