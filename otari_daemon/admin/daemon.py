"""Resources about the daemon itself: how it is, what it serves, what just happened, the way to stop it."""

from __future__ import annotations

from falcon.asgi import Request, Response

from otari_daemon.admin.events import EVENT_STREAM, EventStream
from otari_daemon.rest import query
from otari_daemon.rest.media import answer
from otari_daemon.rest.operations import Operations


class StatusResource:
    """GET says how the daemon is."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer one object."""
        query.none(req)
        answer(resp, await self._operations.status())


class Models:
    """GET lists what can be asked for."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer a bare list with prices."""
        query.none(req)
        answer(resp, await self._operations.models())


class Events:
    """GET follows what happens, as server-sent events."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_get(self, req: Request, resp: Response) -> None:
        """Stream until the reader leaves."""
        events = self._operations.events(query.after(req))
        resp.content_type = EVENT_STREAM
        resp.set_header("Cache-Control", "no-store")
        resp.stream = EventStream(events, req.scope["otari.reader"])


class Shutdown:
    """POST drains and stops the daemon."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_post(self, req: Request, resp: Response) -> None:
        """Answer 202 once the drain has begun."""
        actor, dry_run = query.write(req)
        if not dry_run:
            await self._operations.shutdown(actor)
        resp.status = 202
