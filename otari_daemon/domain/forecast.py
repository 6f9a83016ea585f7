"""Where spending leads if it goes on as it has: integers, rounded down."""

from __future__ import annotations

from typing import NamedTuple

from otari_daemon.domain.money import Nano
from otari_daemon.domain.windows import FOREVER_MS, Period


class Outlook(NamedTuple):
    """What will have been spent at the period's end, and when the limit is reached, if before it."""

    projected: Nano | None
    runs_out_ms: int | None


def outlook(spent: Nano, limit: Nano | None, period: Period, now_ms: int) -> Outlook:
    """Project spending over a period in proportion to how much of it has passed.

    A period without an end, or of which nothing has passed, gives no projection; a limit that is reached
    already ran out now.
    """
    if limit is not None and spent >= limit:
        return Outlook(_projected(spent, period, now_ms), now_ms)
    projected = _projected(spent, period, now_ms)
    if projected is None or limit is None or projected < limit:
        return Outlook(projected, None)
    passed_ms = now_ms - period.start_ms
    return Outlook(projected, period.start_ms + -(-limit * passed_ms // spent))


def _projected(spent: Nano, period: Period, now_ms: int) -> Nano | None:
    passed_ms = min(now_ms, period.end_ms) - period.start_ms
    if period.end_ms >= FOREVER_MS or passed_ms <= 0:
        return None
    return Nano(spent * (period.end_ms - period.start_ms) // passed_ms)
