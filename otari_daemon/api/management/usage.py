"""Usage on TCP: the master key sees everybody's, a virtual key its own."""

from __future__ import annotations

from dataclasses import replace

from falcon.asgi import Request, Response

from otari_daemon.api.gate import caller_of
from otari_daemon.domain.errors import NotFound
from otari_daemon.protocol.messages import UsagePage, UsageQuery
from otari_daemon.protocol.paths import CURSOR_HEADER
from otari_daemon.rest import query
from otari_daemon.rest.media import answer
from otari_daemon.rest.operations import Operations


class Usage:
    """GET pages through settled requests."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer a bare list, newest first; the next page's cursor is in a header."""
        caller = caller_of(req)
        page = await self._operations.usage(_own(req, query.usage(req)))
        rows = [row for row in page.rows if caller is None or row.api_key_id == caller.key_id]
        _answer(resp, replace(page, rows=tuple(rows)))


class UsageSummary:
    """GET adds settled requests up."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer a row for each group, or with `bucket` totals, groups and a series over time."""
        if "bucket" in req.params:
            caller = caller_of(req)
            key_id = None if caller is None else caller.key_id
            answer(resp, await self._operations.usage_series(key_id, *query.series(req)))
            return
        by, asked = query.summary(req)
        answer(resp, await self._operations.usage_summary(by, _own(req, asked)))


class UserUsage:
    """GET pages through one user's requests."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_get(self, req: Request, resp: Response, id: str) -> None:
        """Answer a bare list, newest first; a deleted user's remain."""
        skip, limit = query.page(req)
        _answer(resp, await self._operations.user_usage(query.named(id), skip, limit))


def _answer(resp: Response, page: UsagePage) -> None:
    if page.next_cursor is not None:
        resp.set_header(CURSOR_HEADER, page.next_cursor)
    answer(resp, page.rows)


def _own(req: Request, asked: UsageQuery) -> UsageQuery:
    """A question narrowed to what the asker may see; somebody else's key or user does not exist for it."""
    caller = caller_of(req)
    if caller is None:
        return asked
    if asked.key not in (None, caller.key_id, caller.key_name):
        raise NotFound(f"API key with id {asked.key!r} not found")
    if asked.user not in (None, caller.user_id):
        raise NotFound(f"User with id {asked.user!r} not found")
    return replace(asked, key=caller.key_id)
