"""The feed of events, over restarts of the daemon: asked again from where it broke off, each event once."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from otari_cli.exits import Unreachable

if TYPE_CHECKING:
    from otari_cli.context import Operator
    from otari_daemon.protocol.messages import Event, UsageRow

AWAY_S = 60.0
"""How long a daemon may be away before following it is given up."""

PAUSE_S = 0.25
SEEN_MAX = 20_000
"""Requests remembered, so that none is shown twice: more than the daemon itself remembers."""

MISSED_MAX = 10_000
LONGEST_S = 3600.0
"""How long before the last event a request may have begun that ended after it."""


class Feed:
    """Events after a cursor, or from now on. Raises Unreachable when the daemon stays away."""

    def __init__(self, operator: Operator, after: str | None) -> None:
        self._operator = operator
        self._cursor = after
        self._ended_s = 0.0
        self._seen: deque[str] = deque(maxlen=SEEN_MAX)
        self._known: set[str] = set()

    def saw(self, request_id: str) -> None:
        """Remember a request that needs not be shown again."""
        if len(self._seen) == SEEN_MAX:
            self._known.discard(self._seen[0])
        self._seen.append(request_id)
        self._known.add(request_id)

    def opened(self) -> Iterator[Event]:
        """Open the feed now, and give its events as they come."""
        return self._follow(self._operator.admin.events(self._cursor))

    def _follow(self, events: Iterator[Event]) -> Iterator[Event]:
        while True:  # until the daemon stays away, or whoever reads stops
            try:
                for event in events:
                    self._cursor = event.cursor
                    self._ended_s = max(self._ended_s, _ended_s(event.row)) if event.row else self._ended_s
                    yield from self._fresh(event)
            except Unreachable:
                pass
            events = self._again()
            yield from self._missed()

    def _fresh(self, event: Event) -> Iterator[Event]:
        told = event.row or event.refusal
        if told is not None and told.request_id not in self._known:
            self.saw(told.request_id)
            yield event

    def _again(self) -> Iterator[Event]:
        """Ask for what came after the last event, until somebody answers."""
        self._operator.out.say("the daemon ended the feed; waiting for it to come back")
        deadline_s = time.monotonic() + AWAY_S
        while True:  # until the deadline
            time.sleep(PAUSE_S)
            try:
                events = self._operator.admin.events(self._cursor)
            except Unreachable:
                if time.monotonic() >= deadline_s:
                    hint = f"resume with `otari tail --after {self._cursor}`" if self._cursor else None
                    raise Unreachable(f"the daemon stayed away for {AWAY_S:.0f} s", hint=hint) from None
            else:
                self._operator.out.say("following again")
                return events

    def _missed(self) -> Iterator[Event]:
        """What the last daemon settled and had no time to tell: its rows are still there."""
        from otari_daemon.protocol.messages import Event

        for row in self._rows_since():
            if _ended_s(row) >= self._ended_s:
                yield from self._fresh(Event(self._cursor or "", "request", row=row))

    def _rows_since(self) -> list[UsageRow]:
        from datetime import UTC, datetime

        from otari_daemon.protocol.messages import UsageQuery

        if not self._ended_s:
            return []
        since = datetime.fromtimestamp(self._ended_s - LONGEST_S, UTC).isoformat(timespec="milliseconds")
        query = UsageQuery(since=since, limit=MISSED_MAX)
        return self._operator.admin.usage_rows(query)[::-1]


def _ended_s(row: UsageRow) -> float:
    """When a request ended, in epoch seconds."""
    from datetime import datetime

    return datetime.fromisoformat(row.timestamp).timestamp() + (row.duration_ms or 0) / 1000
