"""What becomes of a request that a budget has no room for."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

_MODEL = re.compile(r"[A-Za-z0-9._:/@+-]{1,200}")


class Way(StrEnum):
    """The words are stored."""

    BLOCK = "block"
    THROTTLE = "throttle"
    FALLBACK = "fallback"


class OnExceed(NamedTuple):
    """Refuse, wait for what others hold, or try once more for a cheaper `model`."""

    way: Way
    model: str = ""

    def __str__(self) -> str:
        return f"{self.way}:{self.model}" if self.model else self.way


BLOCK = OnExceed(Way.BLOCK)
THROTTLE = OnExceed(Way.THROTTLE)


def parse_on_exceed(text: str) -> OnExceed:
    """Read `block`, `throttle` or `fallback:<model>`. Raises ValueError."""
    way, _, model = text.partition(":")
    if text in (Way.BLOCK, Way.THROTTLE):
        return OnExceed(Way(text))
    if way == Way.FALLBACK and _MODEL.fullmatch(model):
        return OnExceed(Way.FALLBACK, model)
    raise ValueError("must be block, throttle or fallback:<model>")
