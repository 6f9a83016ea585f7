"""The time, as an argument: the one place that reads the machine's clocks."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time for people and periods, monotonic time for durations."""

    def now_ms(self) -> int:
        """Epoch milliseconds."""

    def monotonic_ns(self) -> int:
        """Nanoseconds since some moment; never goes back."""


class SystemClock:
    """The machine's clocks."""

    def now_ms(self) -> int:
        """Epoch milliseconds."""
        return time.time_ns() // 1_000_000

    def monotonic_ns(self) -> int:
        """Nanoseconds since some moment; never goes back."""
        return time.monotonic_ns()


def rfc3339(epoch_ms: int) -> str:
    """A moment as people and the admin protocol write it: UTC, milliseconds, `Z`."""
    moment = datetime.fromtimestamp(epoch_ms / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{epoch_ms % 1000:03d}Z"


def from_rfc3339(text: str) -> int:
    """Epoch milliseconds of an RFC 3339 time; a time without an offset is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)
