"""`/v1/me` and `/v1/usage*`: what a key may know of itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, cast

import msgspec
from falcon.asgi import Request, Response

from otari_daemon.api.credentials import credential
from otari_daemon.api.headers import REQUEST_ID
from otari_daemon.domain.errors import GatewayError, InvalidField
from otari_daemon.protocol.codec import FieldError
from otari_daemon.protocol.paths import CURSOR_HEADER
from otari_daemon.wire.openai_errors import error_body

Params = dict[str, str]


class Account(Protocol):
    """Answers the holder of a credential about themselves. Raises GatewayError and FieldError."""

    async def me(self, credential: bytes, request_id: str) -> dict[str, object]:
        """The key and how it stands."""

    async def usage(
        self, credential: bytes, request_id: str, params: Params
    ) -> tuple[list[dict[str, object]], str | None]:
        """A page of its requests, and the cursor of the next."""

    async def summary(self, credential: bytes, request_id: str, params: Params) -> dict[str, object]:
        """What its requests add up to."""


class MeResource:
    """`GET /v1/me`."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def on_get(self, req: Request, resp: Response) -> None:
        """The key, its budgets, limits and models."""
        resp.data = await _answered(req, resp, self._account.me)


class UsageResource:
    """`GET /v1/usage` and `/v1/usage/summary`, of the calling key's own requests."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def on_get(self, req: Request, resp: Response) -> None:
        """A bare list, newest first; the next page's cursor is in a header."""

        async def page(token: bytes, request_id: str) -> object:
            rows, cursor = await self._account.usage(token, request_id, _params(req))
            if cursor is not None:
                resp.set_header(CURSOR_HEADER, cursor)
            return rows

        resp.data = await _answered(req, resp, page)

    async def on_get_summary(self, req: Request, resp: Response) -> None:
        """Totals, groups and a series over time."""

        async def summary(token: bytes, request_id: str) -> object:
            return await self._account.summary(token, request_id, _params(req))

        resp.data = await _answered(req, resp, summary)


async def _answered(req: Request, resp: Response, ask: Callable[[bytes, str], Awaitable[object]]) -> bytes:
    request_id: str = req.scope[REQUEST_ID]
    try:
        return msgspec.json.encode(await ask(credential(req.scope["headers"]), request_id))
    except FieldError as error:
        refusal: GatewayError = InvalidField(str(error), param=error.field or None)
    except GatewayError as error:
        refusal = error
    resp.status = refusal.status
    if refusal.retry_after_s is not None:
        resp.set_header("retry-after", str(refusal.retry_after_s))
    return error_body(refusal, request_id)


def _params(req: Request) -> Params:
    """The query's parameters, each once."""
    found = req.params
    for name, value in found.items():
        if not isinstance(value, str):
            raise FieldError(name, "is given more than once")
    return cast("Params", dict(found))
