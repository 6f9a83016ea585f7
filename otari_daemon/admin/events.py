"""Live events as server-sent events, for as long as somebody reads them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

from otari_daemon.protocol.messages import Event
from otari_daemon.rest.media import encode

EVENT_STREAM = "text/event-stream"
KEEPALIVE_S = 15.0
_KEEPALIVE = b": keepalive\n\n"


class Reader(Protocol):
    """What the front says about the client: gone once, and never back."""

    @property
    def gone(self) -> bool: ...

    def on_gone(self, callback: Callable[[], None]) -> None: ...


class EventStream:
    """A response body: one frame per event, a comment when nothing happens for `keepalive_s`.

    Falcon awaits `close` however the response ends, and that is where the feed is let go.
    """

    def __init__(
        self, events: AsyncIterator[Event], reader: Reader, keepalive_s: float = KEEPALIVE_S
    ) -> None:
        self._events = events
        self._keepalive_s = keepalive_s
        self._next: asyncio.Task[Event] | None = None
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        reader.on_gone(self._leave)

    def __aiter__(self) -> EventStream:
        """Be one's own iterator."""
        return self

    async def __anext__(self) -> bytes:
        """The next frame; ends when the reader is gone or the feed is."""
        if self._next is None:
            self._next = asyncio.ensure_future(self._pull())
        awaited: set[asyncio.Future[Any]] = {self._next, self._gone}
        await asyncio.wait(awaited, timeout=self._keepalive_s, return_when=asyncio.FIRST_COMPLETED)
        if self._gone.done():
            raise StopAsyncIteration
        if not self._next.done():
            return _KEEPALIVE
        event = self._next.result()
        self._next = None
        return b"id: %b\ndata: %b\n\n" % (event.cursor.encode(), encode(event))

    async def close(self) -> None:
        """Stop waiting for the feed, and close it."""
        if self._next is not None:
            self._next.cancel()
            await asyncio.wait({self._next})
        aclose = getattr(self._events, "aclose", None)
        if aclose is not None:
            await aclose()

    async def _pull(self) -> Event:
        return await anext(self._events)

    def _leave(self) -> None:
        if not self._gone.done():
            self._gone.set_result(None)
