"""Temporary raises of a budget: more room until a moment, and then, without anybody's doing, no more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from otari_daemon.domain.money import NANO_PER_USD, Nano

RAISED_MAX = Nano(200_000_000 * NANO_PER_USD)
"""What all raises of a budget may come to at a time; with the largest limit it still fits a column."""

RAISES_MAX = 20
"""Raises of one budget in force at a time."""


class Raise(NamedTuple):
    """`amount` on top of a budget's limit until `until_ms`; `uid` asked for it, and why."""

    id: str
    amount: Nano
    until_ms: int
    created_ms: int
    uid: int
    reason: str | None = None


def in_force(raises: Iterable[Raise], now_ms: int) -> tuple[Raise, ...]:
    """Those that have not ended."""
    return tuple(each for each in raises if now_ms < each.until_ms)


def total(raises: Iterable[Raise]) -> Nano:
    """What some raises come to."""
    return Nano(sum(each.amount for each in raises))
