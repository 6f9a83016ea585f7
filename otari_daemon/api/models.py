"""`GET /v1/models`: what a key may name, and what it costs; for the master key, all there is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from falcon.asgi import Request, Response

from otari_daemon.api.gate import caller_of
from otari_daemon.control.plane import Caller
from otari_daemon.domain.errors import NotFound

ListModels = Callable[[Caller | None], Awaitable[list[dict[str, object]]]]


class Models:
    """The list."""

    def __init__(self, models_for: ListModels) -> None:
        self._models_for = models_for

    async def on_get(self, req: Request, resp: Response) -> None:
        """All models the caller may use, sorted by id; `?provider=` narrows."""
        provider = req.get_param("provider")
        models = await self._models_for(caller_of(req))
        data = [model for model in models if provider in (None, model["owned_by"])]
        resp.data = msgspec.json.encode({"object": "list", "data": data})


class Model:
    """One of it by name."""

    def __init__(self, models_for: ListModels) -> None:
        self._models_for = models_for

    async def on_get(self, req: Request, resp: Response, model: str) -> None:
        """One model; 404 for one that does not exist or that the caller may not use."""
        for one in await self._models_for(caller_of(req)):
            if one["id"] == model:
                resp.data = msgspec.json.encode(one)
                return
        raise NotFound(f"model {model!r} not found")
