"""Writing to a client: heads joined with bodies, and clients noticed that take nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from otari_daemon.front.alarm import Alarm

JOINED_BYTES_MAX = 65_536
"""More than this is not worth copying to join it with a head."""

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


class JoinedHead:
    """A transport for one answer that sends its head together with what follows in the same turn of the loop.

    Each write of a small answer is a system call of some ten microseconds; this saves one of them.
    """

    __slots__ = ("_head", "_loop", "_sent", "_transport")

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
        self._loop = loop
        self._transport = transport
        self._head = b""
        self._sent = False

    def write(self, data: bytes) -> None:
        """Keep the first write until the next, or the end of this turn; pass on all others."""
        if self._sent:
            self._transport.write(data)
        elif not self._head:
            self._head = data
            self._loop.call_soon(self.flush)
        elif len(data) > JOINED_BYTES_MAX:
            self.flush()
            self._transport.write(data)
        else:
            self._sent = True
            self._transport.write(self._head + data)

    def flush(self) -> None:
        """Send the head by itself if nothing has followed it."""
        if not self._sent:
            self._sent = True
            if not self._transport.is_closing():
                self._transport.write(self._head)

    def close(self) -> None:
        """Send what is kept, then close."""
        if self._head:
            self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether the transport underneath is."""
        return self._transport.is_closing()
