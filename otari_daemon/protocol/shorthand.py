"""Budgets and durations as people type them: `5/day`, `50/week@Europe/Oslo`, `10/30d`, `12h`."""

from __future__ import annotations

import re

from otari_daemon.protocol.codec import FieldError
from otari_daemon.protocol.messages import BudgetCreate

DURATION_MAX_S = 3660 * 86_400
"""Ten years: longer than any budget's period, key's life or look back."""

CALENDAR = ("day", "week", "month")
LIFETIME = "lifetime"
UNLIMITED = "unlimited"

_UNIT_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"([0-9]{1,9})([smhdw])")
_AMOUNT = re.compile(r"\$?([0-9]{1,12}(?:\.[0-9]{1,9})?)")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+\-]*(?:/[A-Za-z0-9_+\-]+){0,2}")
_WORDS = {"hour": "1h", "life": LIFETIME, "total": LIFETIME}


def parse_duration(text: str, field: str = "duration") -> int:
    """Read `90s`, `30m`, `12h`, `30d` or `2w` as seconds, from one to ten years; else raise `FieldError`."""
    match = _DURATION.fullmatch(text.strip())
    seconds = int(match[1]) * _UNIT_S[match[2]] if match else 0
    if not 0 < seconds <= DURATION_MAX_S:
        raise FieldError(field, "must be a duration of at most ten years, like 12h or 30d")
    return seconds


def parse_budget(text: str, field: str = "budget") -> BudgetCreate:
    """Read shorthand `AMOUNT[/PERIOD][@ZONE]` as a nameless budget; else raise `FieldError`.

    AMOUNT is dollars or `unlimited`; PERIOD is `lifetime` (the default), `hour`, `day`, `week`, `month` or a
    duration; only calendar periods take a ZONE. Whether the zone exists is for the daemon to say.
    """
    amount, slash, rest = text.strip().partition("/")
    period, at, zone = rest.partition("@")
    per = _WORDS.get(period, period) if slash else LIFETIME
    if per not in (*CALENDAR, LIFETIME):
        parse_duration(per, field)
    if at and (per not in CALENDAR or not _ZONE.fullmatch(zone)):
        raise FieldError(field, "takes a time zone after day, week or month only, like 5/day@Europe/Oslo")
    return BudgetCreate(max_budget=_amount(amount, field), per=per, time_zone=zone or None)


def is_budget_shorthand(text: str) -> bool:
    """Whether text reads as a budget rather than as the name of one."""
    try:
        parse_budget(text)
    except FieldError:
        return False
    return True


def _amount(text: str, field: str) -> str | None:
    if text == UNLIMITED:
        return None
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise FieldError(field, "must be dollars and a period, like 5/day, 20/month, 10/30d or 100")
    return match[1]
