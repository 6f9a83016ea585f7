"""Settling by a statement of use, with what was counted by the piece beside it."""

from __future__ import annotations

from typing import Any

from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.domain.usage import Usage
from otari_daemon.wire.dialect import Reading
from otari_daemon.wire.usage_format import AbsurdUsage, UsageFormat


def reading_of(stated: Any, usage: UsageFormat, counted: Consumption, pieces: Usage) -> Reading:
    """Read a statement, or fall back on `counted`.

    Pieces are counted even beside stated tokens, for the price list alone knows which of them cost.
    """
    if stated is None:
        return Reading(counted, Reason.ESTIMATED)
    try:
        found = usage.read(stated)
    except AbsurdUsage:
        return Reading(counted, Reason.USAGE_INVALID)
    return Reading(
        Consumption(
            found._replace(
                images=found.images or pieces.images,
                seconds=found.seconds or pieces.seconds,
                characters=found.characters or pieces.characters,
            )
        ),
        Reason.USAGE,
    )
