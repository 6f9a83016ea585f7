"""Freezes: a key or a user that may not ask for a while, and why."""

from __future__ import annotations

from typing import NamedTuple

from otari_daemon.domain.budgets import Holder


class Freeze(NamedTuple):
    """`holder` is turned away until `until_ms`, or until it is unfrozen where that is None."""

    holder: Holder
    until_ms: int | None
    reason: str
    created_ms: int
    uid: int

    def holds(self, now_ms: int) -> bool:
        """Whether it has not ended."""
        return self.until_ms is None or now_ms < self.until_ms
