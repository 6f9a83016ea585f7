"""`GET /v1/me`: what a virtual key is told of itself."""

from __future__ import annotations

from falcon.asgi import Request, Response

from otari_daemon.api.gate import caller_of
from otari_daemon.rest import query
from otari_daemon.rest.media import answer
from otari_daemon.rest.operations import Operations


class Me:
    """The key that asks, as it stands."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer the key, its user, budgets, limits and models."""
        query.none(req)
        caller = caller_of(req)
        assert caller is not None, "only a virtual key is let through to itself"
        answer(resp, await self._operations.me(caller))
