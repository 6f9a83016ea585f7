"""What just happened, for whoever watches: the last events, and a queue for every watcher."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Generic, NamedTuple, TypeVar

E = TypeVar("E")

RECENT_MAX = 10_000
WATCHER_QUEUE_MAX = 10_000
WATCHERS_MAX = 64


class Numbered(NamedTuple, Generic[E]):
    """An event and its place in the order of this daemon's life."""

    number: int
    event: E


class TooManyWatchers(Exception):
    """More watchers than `WATCHERS_MAX`."""


class Activity(Generic[E]):
    """Events in order, kept a while. A watcher that falls behind loses its oldest events."""

    def __init__(self) -> None:
        self._recent: deque[Numbered[E]] = deque(maxlen=RECENT_MAX)
        self._watchers: set[asyncio.Queue[Numbered[E]]] = set()
        self.count = 0

    def publish(self, event: E) -> None:
        """Add an event; costs an append, and a put for each watcher."""
        self.count += 1
        numbered = Numbered(self.count, event)
        self._recent.append(numbered)
        for queue in self._watchers:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(numbered)

    async def follow(self, after: int | None) -> AsyncIterator[Numbered[E]]:
        """Events after a number, then every new one; with None, only new ones."""
        if len(self._watchers) >= WATCHERS_MAX:
            raise TooManyWatchers
        queue: asyncio.Queue[Numbered[E]] = asyncio.Queue(WATCHER_QUEUE_MAX)
        missed = [] if after is None else [event for event in self._recent if event.number > after]
        self._watchers.add(queue)
        try:
            for numbered in missed:
                yield numbered
            while True:
                yield await queue.get()
        finally:
            self._watchers.discard(queue)
