"""Resources that say why: of one request, and of all that was refused."""

from __future__ import annotations

from urllib.parse import unquote

from falcon.asgi import Request, Response

from otari_daemon.rest import query
from otari_daemon.rest.media import answer
from otari_daemon.rest.operations import Operations


class Explain:
    """GET explains one request, settled, open or refused."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_get(self, req: Request, resp: Response, id: str) -> None:
        """Answer everything the books know of it."""
        query.none(req)
        answer(resp, await self._operations.explain(unquote(id)))


class Refusals:
    """GET groups what was refused."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer a bare list of groups since `since`, most first."""
        answer(resp, await self._operations.refusals(query.one(req, "since")))


class Watched:
    """GET groups what budgets that only watch would have refused."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer a bare list of groups since `since`, most first."""
        answer(resp, await self._operations.watched(query.one(req, "since")))
