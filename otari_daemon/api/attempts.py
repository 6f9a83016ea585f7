"""How often one address may present a wrong credential where the master key would open."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

FAILURES_MAX = 20
WINDOW_NS = 60_000_000_000
SOURCES_MAX = 1024
"""Addresses remembered; the one that began longest ago is forgotten for the next."""


class Attempts:
    """Counts the failures of each address; `FAILURES_MAX` within a minute close the door until it is over."""

    def __init__(self, monotonic_ns: Callable[[], int]) -> None:
        self._now_ns = monotonic_ns
        self._failures: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def wait_s(self, source: str) -> int:
        """Whole seconds until an address may try again; 0 when it may now."""
        since_ns, count = self._failures.get(source, (0, 0))
        left_ns = since_ns + WINDOW_NS - self._now_ns()
        return -(-left_ns // 1_000_000_000) if count >= FAILURES_MAX and left_ns > 0 else 0

    def failed(self, source: str) -> None:
        """Count one failure."""
        now_ns = self._now_ns()
        since_ns, count = self._failures.get(source, (now_ns, 0))
        if now_ns - since_ns >= WINDOW_NS:
            self._failures.pop(source)
            since_ns, count = now_ns, 0
        self._failures[source] = (since_ns, count + 1)
        if len(self._failures) > SOURCES_MAX:
            self._failures.popitem(last=False)
