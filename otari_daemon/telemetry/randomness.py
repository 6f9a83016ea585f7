"""Random bytes by the handful: one system call serves hundreds of requests."""

from __future__ import annotations

import os

BUFFER_BYTES = 4096


class RandomBytes:
    """The system's random source, read ahead. Every byte is given out once."""

    __slots__ = ("_at", "_buffer")

    def __init__(self) -> None:
        self._buffer = b""
        self._at = BUFFER_BYTES

    def take(self, count: int) -> bytes:
        """The next `count` bytes, of at most BUFFER_BYTES."""
        end = self._at + count
        if end > len(self._buffer):
            self._buffer = os.urandom(BUFFER_BYTES)
            self._at, end = 0, count
        taken = self._buffer[self._at : end]
        self._at = end
        return taken
