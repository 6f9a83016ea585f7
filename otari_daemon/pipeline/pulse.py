"""A sign of life for readers of a stream that is silent, so that nothing between us takes it for dead."""

from __future__ import annotations

import asyncio

from otari_daemon.providers.upstream import Exchange

COMMENT = b": keep-alive\n\n"
"""A server-sent comment, which every reader of events skips."""


class Pulse:
    """Nudges an exchange whenever its reader has heard nothing for `interval_s`.

    One timer a stream; a chunk costs a look at the clock. An exchange that nobody waits for takes no notice.
    """

    __slots__ = ("_exchange", "_heard_s", "_interval_s", "_loop", "_timer")

    def __init__(self, exchange: Exchange, interval_s: float) -> None:
        self._exchange = exchange
        self._interval_s = interval_s
        self._loop = asyncio.get_running_loop()
        self._heard_s = self._loop.time()
        self._timer = self._loop.call_later(interval_s, self._look)

    def heard(self) -> None:
        """Something has been passed to the reader now."""
        self._heard_s = self._loop.time()

    def stop(self) -> None:
        """The stream is over."""
        self._timer.cancel()

    def _look(self) -> None:
        due_s = self._heard_s + self._interval_s
        if due_s <= self._loop.time():
            self._exchange.nudge()
            self.heard()
            due_s = self._heard_s + self._interval_s
        self._timer = self._loop.call_at(due_s, self._look)
