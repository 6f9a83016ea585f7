"""Resources of a budget's life besides its own: raises and freezes."""

from __future__ import annotations

from urllib.parse import unquote

from falcon.asgi import Request, Response

from otari_daemon.protocol.messages import BudgetRaise, FreezeCreate
from otari_daemon.rest import query
from otari_daemon.rest.media import answer, question
from otari_daemon.rest.operations import Operations


class Raises:
    """POST raises a budget for a while, DELETE takes all its raises back."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_post(self, req: Request, resp: Response, id: str) -> None:
        """Answer the budget with its raises."""
        actor, dry_run = query.write(req)
        new = await question(req, BudgetRaise)
        answer(resp, await self._operations.raise_budget(unquote(id), new, actor, dry_run=dry_run))

    async def on_delete(self, req: Request, resp: Response, id: str) -> None:
        """Answer the budget without them."""
        actor, dry_run = query.write(req)
        answer(resp, await self._operations.end_raises(unquote(id), actor, dry_run=dry_run))


class Freezes:
    """GET lists who is frozen, POST freezes a holder, DELETE lets the one in the query in again."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer a bare list, longest first."""
        answer(resp, await self._operations.freezes(*query.page(req)))

    async def on_post(self, req: Request, resp: Response) -> None:
        """Answer the freeze."""
        actor, dry_run = query.write(req)
        new = await question(req, FreezeCreate)
        answer(resp, await self._operations.freeze(new, actor, dry_run=dry_run))

    async def on_delete(self, req: Request, resp: Response) -> None:
        """Answer nothing."""
        holder, actor, dry_run = query.unassign(req)
        await self._operations.unfreeze(holder, actor, dry_run=dry_run)
        resp.status = 204
