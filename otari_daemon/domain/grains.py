"""Hours, days and months in UTC: what usage is added up by, and how few of them make up any span."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


LATEST_MS = 253_399_622_400_000
"""The last month that a calendar has, and no span goes beyond its start."""


class Grain(IntEnum):
    """The length of a bucket; the numbers are stored."""

    HOUR = 1
    DAY = 2
    MONTH = 3


class Span(NamedTuple):
    """Whole buckets of a grain from `start_ms` up to `end_ms`; without a grain, part of an hour."""

    grain: Grain | None
    start_ms: int
    end_ms: int


def start_of(grain: Grain, at_ms: int) -> int:
    """When the bucket that holds a moment began, in epoch milliseconds."""
    if grain is Grain.HOUR:
        return at_ms - at_ms % HOUR_MS
    if grain is Grain.DAY:
        return at_ms - at_ms % DAY_MS
    return _ms(_month(at_ms))


def end_of(grain: Grain, at_ms: int) -> int:
    """When the bucket that holds a moment ends."""
    start_ms = start_of(grain, at_ms)
    if grain is Grain.HOUR:
        return start_ms + HOUR_MS
    if grain is Grain.DAY:
        return start_ms + DAY_MS
    return _ms((_month(at_ms) + timedelta(days=32)).replace(day=1))


def cover(since_ms: int, until_ms: int, coarsest: Grain) -> Iterator[Span]:
    """The fewest whole buckets up to a grain that make up a span, in order, and what is left of hours.

    A span of shorter buckets never goes beyond the longer one that it is part of.
    """
    yield from _cover(since_ms, min(until_ms, LATEST_MS), coarsest)


def _cover(since_ms: int, until_ms: int, grain: Grain) -> Iterator[Span]:
    if since_ms >= until_ms:
        return
    first = since_ms if start_of(grain, since_ms) == since_ms else end_of(grain, since_ms)
    last = start_of(grain, until_ms)
    if first > last:
        yield from _finer(since_ms, until_ms, grain)
        return
    yield from _finer(since_ms, first, grain)
    if first < last:
        yield Span(grain, first, last)
    yield from _finer(last, until_ms, grain)


def _finer(since_ms: int, until_ms: int, grain: Grain) -> Iterator[Span]:
    if grain is not Grain.HOUR:
        yield from _cover(since_ms, until_ms, Grain(grain - 1))
    elif since_ms < until_ms:
        yield Span(None, since_ms, until_ms)


def _month(at_ms: int) -> datetime:
    at = datetime.fromtimestamp(at_ms // 1000, UTC)
    return at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _ms(at: datetime) -> int:
    return int(at.timestamp()) * 1000
