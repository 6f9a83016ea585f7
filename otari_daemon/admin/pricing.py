"""Resources about prices: their list is a plain collection, one model's are here."""

from __future__ import annotations

from urllib.parse import unquote

from falcon.asgi import Request, Response

from otari_daemon.admin import query
from otari_daemon.admin.media import answer
from otari_daemon.admin.operations import Operations


class ModelPrice:
    """GET shows what a model costs, DELETE removes what the database says of it."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_get(self, req: Request, resp: Response, id: str) -> None:
        """Answer the version in force now or `as_of` a moment."""
        answer(resp, await self._operations.price(unquote(id), query.one(req, "as_of")))

    async def on_delete(self, req: Request, resp: Response, id: str) -> None:
        """Remove the version of `effective_at`, or all; answer nothing."""
        effective_at, actor, dry_run = query.unprice(req)
        await self._operations.delete_price(unquote(id), effective_at, actor, dry_run=dry_run)
        resp.status = 204


class PriceHistory:
    """GET lists the versions of one model."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_get(self, req: Request, resp: Response, id: str) -> None:
        """Answer a bare list, newest first."""
        query.none(req)
        answer(resp, await self._operations.price_history(unquote(id)))


class PriceSuggestions:
    """GET lists models whose price an operator should look at."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer a bare list, of models asked for since `since`."""
        answer(resp, await self._operations.price_suggestions(query.one(req, "since")))
