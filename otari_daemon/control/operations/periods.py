"""Which window a budget has, from the three ways to say it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from otari_daemon.domain.errors import InvalidField
from otari_daemon.domain.windows import Calendar, CalendarUnit, Every, Lifetime, Window
from otari_daemon.protocol.codec import FieldError
from otari_daemon.protocol.messages import UNSET, BudgetCreate, BudgetUpdate, Unset
from otari_daemon.protocol.shorthand import DURATION_MAX_S, LIFETIME, parse_duration

_UNITS: dict[str, CalendarUnit] = {"day": "day", "week": "week", "month": "month"}
_ALIGNMENTS: dict[str, CalendarUnit] = {f"calendar_{name}": unit for name, unit in _UNITS.items()}
_Said = dict[str, str | int]


def window_of(new: BudgetCreate, now_ms: int) -> Window:
    """The window of a new budget; one of a fixed length is anchored at `now_ms`."""
    said = _said(new.per, new.budget_duration_sec, new.reset_alignment)
    return _in_zone(_window(said, now_ms) or Lifetime(), new.time_zone)


def window_after(change: BudgetUpdate, window: Window, now_ms: int) -> Window:
    """The window a budget has after a change; the one it had when it comes to the same.

    A null clears what it names: the budget then never begins anew.
    """
    said = _said(change.per, change.budget_duration_sec, change.reset_alignment)
    changed = _window(said, now_ms) or (Lifetime() if _clears(change, window) else window)
    if isinstance(changed, Calendar) and isinstance(window, Calendar) and change.time_zone is UNSET:
        changed = Calendar(changed.unit, window.zone)
    changed = _in_zone(changed, change.time_zone)
    if isinstance(changed, Every) and isinstance(window, Every) and changed.length_ms == window.length_ms:
        return window
    return changed


def _said(per: str | Unset | None, seconds: int | Unset | None, alignment: str | Unset | None) -> _Said:
    fields = {"per": per, "budget_duration_sec": seconds, "reset_alignment": alignment}
    said = {name: value for name, value in fields.items() if value is not None and value is not UNSET}
    if len(said) > 1:
        first, second, *_ = said
        raise InvalidField(f"a budget resets on {first} or on {second}, not both", param=second)
    return said


def _window(said: _Said, now_ms: int) -> Window | None:
    for name, value in said.items():
        if name == "per":
            return _per(str(value), now_ms)
        if name == "budget_duration_sec":
            return _every(int(value), now_ms)
        if value not in _ALIGNMENTS:
            raise InvalidField(f"reset_alignment must be one of {', '.join(_ALIGNMENTS)}", param=name)
        return Calendar(_ALIGNMENTS[str(value)])
    return None


def _per(text: str, now_ms: int) -> Window:
    if text == LIFETIME:
        return Lifetime()
    if text in _UNITS:
        return Calendar(_UNITS[text])
    try:
        return Every(parse_duration(text, "per") * 1000, now_ms)
    except FieldError as error:
        raise InvalidField(
            f"per must be {LIFETIME}, {', '.join(_UNITS)} or a duration like 30d", param="per"
        ) from error


def _every(seconds: int, now_ms: int) -> Every:
    if not 0 < seconds <= DURATION_MAX_S:
        raise InvalidField(
            f"budget_duration_sec must be from 1 to {DURATION_MAX_S}", param="budget_duration_sec"
        )
    return Every(seconds * 1000, now_ms)


def _clears(change: BudgetUpdate, window: Window) -> bool:
    return (
        change.per is None
        or (change.budget_duration_sec is None and isinstance(window, Every))
        or (change.reset_alignment is None and isinstance(window, Calendar))
    )


def _in_zone(window: Window, zone: str | Unset | None) -> Window:
    if not isinstance(zone, str):
        return Calendar(window.unit) if zone is None and isinstance(window, Calendar) else window
    if not isinstance(window, Calendar):
        raise InvalidField("a time zone needs a period of day, week or month", param="time_zone")
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:  # the ways a name can fail to be a zone's file
        raise InvalidField(f"time zone {zone[:64]!r} is unknown", param="time_zone") from error
    return Calendar(window.unit, zone)
