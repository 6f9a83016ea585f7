"""Resources about usage added up: reports, forecasts, and making anew what they are made of."""

from __future__ import annotations

from falcon.asgi import Request, Response

from otari_daemon.rest import query
from otari_daemon.rest.media import answer
from otari_daemon.rest.operations import Operations


class UsageReport:
    """GET adds settled requests up by several things at once."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer the report."""
        answer(resp, await self._operations.usage_report(query.report(req)))


class UsageForecast:
    """GET projects budgets to the end of their period."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer every budget's holders, the first to run out on top."""
        query.none(req)
        answer(resp, await self._operations.usage_forecast())


class UsageRebuild:
    """POST makes anew what reports are made of."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_post(self, req: Request, resp: Response) -> None:
        """Answer when it is done; serving goes on meanwhile."""
        actor, _ = query.write(req)
        answer(resp, await self._operations.rebuild_usage(actor))
