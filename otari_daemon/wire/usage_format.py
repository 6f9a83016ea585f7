"""What every reader of usage shares: counts that can be true, and where a format states them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from otari_daemon.domain.usage import UNITS_MAX, Usage


class AbsurdUsage(ValueError):
    """Usage that contradicts itself or no request could have."""


class UsageFormat(NamedTuple):
    """One provider's way of stating usage.

    `read` turns a statement into disjoint classes, or raises AbsurdUsage. `places` are the paths in an
    answer or an event under which a statement may stand, the likelier first.
    """

    read: Callable[[Any], Usage]
    places: tuple[tuple[str, ...], ...] = (("usage",),)

    def stated_in(self, answer: Any) -> Any:
        """The statement of a whole answer or of one event; None where there is none."""
        for place in self.places:
            found = answer
            for name in place:
                found = found.get(name) if isinstance(found, dict) else None
            if found is not None:
                return found
        return None


def later(known: Any, stated: Any) -> Any:
    """A stream's statement after one more event: counts are totals so far, so what is said anew replaces."""
    if not (isinstance(known, dict) and isinstance(stated, dict)):
        return stated
    return {**known, **{name: value for name, value in stated.items() if value is not None}}


def count(stated: Any, field: str, default: int | None = None) -> int:
    """A whole number of units; `default` where the field is missing or null. Raises AbsurdUsage."""
    if not isinstance(stated, dict):
        raise AbsurdUsage
    value = stated.get(field)
    if value is None and default is not None:
        return default
    if type(value) is not int or not 0 <= value <= UNITS_MAX:
        raise AbsurdUsage
    return value


def section(stated: Any, field: str) -> Any:
    """A part of a statement; an empty one where it is missing or null."""
    if not isinstance(stated, dict):
        raise AbsurdUsage
    return stated.get(field) or {}


def rest(whole: int, *parts: int) -> int:
    """What is left of `whole` without its parts. Raises AbsurdUsage when they are more than it."""
    left = whole - sum(parts)
    if left < 0:
        raise AbsurdUsage
    return left


def is_hollow(usage: Usage, said_bytes: int) -> bool:
    """Whether usage denies what happened: every request has a prompt, and what is said has tokens."""
    return usage.input_tokens == 0 or (usage.output_tokens == 0 and said_bytes > 0)
