"""A deadline that moves with every request and costs a timer only now and then."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

_SLACK_S = 0.001  # a loop's timers are this coarse; waking early by less counts as on time


class Alarm:
    """Calls `ring` once when the deadline set last has passed, unless it was cleared.

    Clearing or postponing leaves the loop's timer where it is: it wakes, finds the deadline later or gone,
    and sleeps again or not at all. Only a deadline earlier than the timer replaces it.
    """

    __slots__ = ("_due", "_loop", "_ring", "_timer", "_wakes")

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop = loop
        self._ring = ring
        self._due = math.inf
        self._wakes = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def set(self, delay_s: float) -> None:
        """Ring after `delay_s` seconds, in place of any deadline set before."""
        self._due = self._loop.time() + delay_s
        if self._timer is None:
            self._sleep()
        elif self._due < self._wakes:
            self._timer.cancel()
            self._sleep()

    def clear(self) -> None:
        """Do not ring until set again."""
        self._due = math.inf

    def stop(self) -> None:
        """Clear, and give the loop's timer back; for a connection that ends."""
        self._due = math.inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _sleep(self) -> None:
        self._wakes = self._due
        self._timer = self._loop.call_at(self._due, self._wake)

    def _wake(self) -> None:
        self._timer = None
        if self._due == math.inf:
            return
        if self._due - self._loop.time() > _SLACK_S:
            self._sleep()
            return
        self._due = math.inf
        self._ring()
