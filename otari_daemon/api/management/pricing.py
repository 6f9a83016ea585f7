"""Prices on TCP: the master key sets and removes them, a virtual key sees those of its own models."""

from __future__ import annotations

import re

from falcon.asgi import Request, Response

from otari_daemon.api.gate import caller_of
from otari_daemon.domain.errors import NotFound
from otari_daemon.protocol.messages import PriceInfo, PriceSet
from otari_daemon.rest import query
from otari_daemon.rest.media import answer, question
from otari_daemon.rest.operations import Operations

HISTORY = "/history"
VERSIONS_MAX = 1 << 20
"""Versions looked through for those that a virtual key may see."""

_SEPARATOR = re.compile("[:/]")


class Prices:
    """GET lists versions, POST adds one."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer a bare list."""
        skip, limit = query.page(req)
        if caller_of(req) is None:
            answer(resp, await self._operations.prices(skip, limit))
            return
        found = await self._operations.prices(0, VERSIONS_MAX)
        answer(resp, [price for price in found if _may_see(req, price.model_key)][skip : skip + limit])

    async def on_post(self, req: Request, resp: Response) -> None:
        """Answer the version."""
        actor, dry_run = query.write(req)
        new = await question(req, PriceSet)
        answer(resp, await self._operations.set_price(new, actor, dry_run=dry_run))


class Price:
    """GET shows a model's price, or behind `/history` all its versions; DELETE removes the database's."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_get(self, req: Request, resp: Response, id: str) -> None:
        """Answer the version in force now or `as_of` a moment, or a bare list, newest first."""
        model = query.named(id)
        answer(resp, await (self._history(req, model) if model.endswith(HISTORY) else self._one(req, model)))

    async def on_delete(self, req: Request, resp: Response, id: str) -> None:
        """Remove the version of `effective_at`, or all; answer nothing."""
        effective_at, actor, dry_run = query.unprice(req)
        await self._operations.delete_price(query.named(id), effective_at, actor, dry_run=dry_run)
        resp.status = 204

    async def _one(self, req: Request, model: str) -> PriceInfo:
        as_of = query.one(req, "as_of")
        _check(req, model)
        return await self._operations.price(model, as_of)

    async def _history(self, req: Request, path: str) -> list[PriceInfo]:
        query.none(req)
        model = path.removesuffix(HISTORY)
        _check(req, model)
        return await self._operations.price_history(model)


def _check(req: Request, model: str) -> None:
    if not _may_see(req, model):
        raise NotFound(f"Pricing for model {model!r} not found")


def _may_see(req: Request, model: str) -> bool:
    """Whether the asker may use the model, which is named as prices are or with a slash."""
    caller = caller_of(req)
    return caller is None or caller.seat.key.may_name(_SEPARATOR.sub(":", model, count=1))
