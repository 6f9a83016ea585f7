"""Resources about money and what it was spent on: assignments, usage, holds, the proof of the books."""

from __future__ import annotations

from urllib.parse import unquote

from falcon.asgi import Request, Response

from otari_daemon.protocol.messages import BudgetAssign
from otari_daemon.protocol.paths import CURSOR_HEADER
from otari_daemon.rest import query
from otari_daemon.rest.media import answer, question
from otari_daemon.rest.operations import Operations


class Assignments:
    """POST puts a holder under a budget, DELETE takes one out."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_post(self, req: Request, resp: Response, id: str) -> None:
        """Answer the budget with its new holder."""
        actor, dry_run = query.write(req)
        holder = await question(req, BudgetAssign)
        answer(resp, await self._operations.assign_budget(unquote(id), holder, actor, dry_run=dry_run))

    async def on_delete(self, req: Request, resp: Response, id: str) -> None:
        """Answer the budget without the holder the query names."""
        holder, actor, dry_run = query.unassign(req)
        answer(resp, await self._operations.unassign_budget(unquote(id), holder, actor, dry_run=dry_run))


class Usage:
    """GET pages through settled requests."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer a bare list, newest first; the next page's cursor is in a header."""
        found = await self._operations.usage(query.usage(req))
        if found.next_cursor is not None:
            resp.set_header(CURSOR_HEADER, found.next_cursor)
        answer(resp, found.rows)


class UsageSummary:
    """GET adds settled requests up."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer a row for each group."""
        answer(resp, await self._operations.usage_summary(*query.summary(req)))


class Holds:
    """GET lists money set aside for requests in flight."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer every open hold, oldest first."""
        query.none(req)
        answer(resp, await self._operations.holds())


class LedgerVerify:
    """POST proves the books from the database."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_post(self, req: Request, resp: Response) -> None:
        """Answer 200 with what was found, also when the books are off."""
        query.none(req)
        answer(resp, await self._operations.verify())
