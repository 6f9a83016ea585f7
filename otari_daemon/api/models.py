"""`GET /v1/models`: what a key may name, and what it costs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from falcon.asgi import Request, Response

from otari_daemon.api.credentials import credential
from otari_daemon.api.headers import REQUEST_ID
from otari_daemon.domain.errors import GatewayError, NotFound
from otari_daemon.wire.openai_errors import error_body

ENDPOINT = "/v1/models"

Model = dict[str, object]
ListModels = Callable[[bytes, str], Awaitable[list[Model]]]


class ModelsResource:
    """The list, and one of it by name."""

    def __init__(self, models_of: ListModels) -> None:
        self._models_of = models_of

    async def on_get(self, req: Request, resp: Response) -> None:
        """All models the key may use, sorted by id; `?provider=` narrows."""
        provider = req.get_param("provider")
        models = await self._listed(req, resp)
        if models is not None:
            data = [model for model in models if provider in (None, model["owned_by"])]
            resp.data = msgspec.json.encode({"object": "list", "data": data})

    async def on_get_one(self, req: Request, resp: Response, model: str) -> None:
        """One model; 404 for one that does not exist or that the key may not use."""
        models = await self._listed(req, resp)
        if models is None:
            return
        for one in models:
            if one["id"] == model:
                resp.data = msgspec.json.encode(one)
                return
        _answer(req, resp, NotFound(f"model {model!r} not found"))

    async def _listed(self, req: Request, resp: Response) -> list[Model] | None:
        try:
            return await self._models_of(credential(req.scope["headers"]), req.scope[REQUEST_ID])
        except GatewayError as error:
            _answer(req, resp, error)
            return None


def _answer(req: Request, resp: Response, error: GatewayError) -> None:
    resp.status = error.status
    resp.data = error_body(error, req.scope[REQUEST_ID])
