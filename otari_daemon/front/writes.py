"""Clients noticed that take nothing of what is written to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from otari_daemon.front.alarm import Alarm

_LOOKS = 4


class WriteWatch:
    """Looks at a transport's unsent bytes four times per `stall_s`; four looks in a row without progress
    call `give_up`, so within 1.25 times `stall_s` of the last byte taken.
    """

    __slots__ = ("_alarm", "_give_up", "_interval_s", "_still", "_transport", "_unsent")

    def __init__(self, loop: asyncio.AbstractEventLoop, stall_s: float, give_up: Callable[[], None]) -> None:
        self._alarm = Alarm(loop, self._look)
        self._give_up = give_up
        self._interval_s = stall_s / _LOOKS
        self._still = 0
        self._unsent = 0
        self._transport: asyncio.Transport | None = None

    def watch(self, transport: asyncio.Transport) -> None:
        """Begin to look: `transport` is paused for writing, or closing."""
        self._transport = transport
        self._unsent = transport.get_write_buffer_size()
        self._still = 0
        self._alarm.set(self._interval_s)

    def clear(self) -> None:
        """Stop looking until the next `watch`."""
        self._alarm.clear()

    def stop(self) -> None:
        """Stop for good: the connection is gone."""
        self._alarm.stop()
        self._transport = None

    def _look(self) -> None:
        if self._transport is None:
            return
        unsent = self._transport.get_write_buffer_size()
        self._still = self._still + 1 if unsent >= self._unsent else 0
        self._unsent = unsent
        if self._still < _LOOKS:
            self._alarm.set(self._interval_s)
        else:
            self._give_up()
