"""One scalar to one typed value, or the words for what was expected."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from otari_daemon.config.document import Kind, Scalar
from otari_daemon.config.secret import Secret
from otari_daemon.domain.money import AmountError, Pico, parse_usd_each, parse_usd_per_million

RATE_MAX = Pico(10**12)
"""$1,000,000 per million tokens: anything above is a slip of the unit."""

EACH_MAX = Pico(10**16)
"""$10,000 for one picture, second or call."""

_EACH = "dollars from 0 to 10000 with at most twelve decimals"
_RATE = "dollars per million tokens from 0 to 1000000 with at most six decimals"
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,17})(\.[0-9]{1,9})?")
_WORDS = {"true": True, "yes": True, "on": True, "1": True}
_WORDS |= {"false": False, "no": False, "off": False, "0": False}


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the greatest number allowed."""

    least: float
    greatest: float


@dataclass(frozen=True, slots=True)
class Matches:
    """A pattern the whole text must match, and the words for it."""

    pattern: str
    expected: str

    def allows(self, text: str) -> bool:
        """Whether all of `text` matches."""
        return re.fullmatch(self.pattern, text) is not None


@dataclass(frozen=True, slots=True)
class Each:
    """Marks a rate that is stated in dollars for one piece instead of for a million tokens."""


class Mismatch(Exception):
    """A scalar is not what its key needs: `expected` in words, never the value."""

    def __init__(self, expected: str) -> None:
        super().__init__(expected)
        self.expected = expected


def convert(base: Any, limits: tuple[object, ...], scalar: Scalar) -> object:
    """Convert to the scalar type `base` within `limits`; raise `Mismatch`.

    Values of the file keep their YAML kind; those of variables and options convert to any type.
    """
    if get_origin(base) is Literal:
        return _choice(get_args(base), scalar)
    if base is bool:
        return _boolean(scalar)
    if base is int or base is float:
        return _number(base, limits, scalar)
    if base is Pico:
        return _rate(limits, scalar)
    if base is dt.datetime:
        return _moment(scalar)
    text = _text(limits, scalar)
    return base(text) if issubclass(base, Secret) else text


def _choice(choices: tuple[str, ...], scalar: Scalar) -> str:
    text = scalar.text.lower()
    if text not in choices:
        raise Mismatch("one of " + ", ".join(choices))
    return text


def _boolean(scalar: Scalar) -> bool:
    words = scalar.kind is Kind.BOOL or scalar.kind is Kind.UNTYPED
    value = _WORDS.get(scalar.text.strip().lower()) if words else None
    if value is None:
        raise Mismatch("true or false")
    return value


def _number(base: type[int] | type[float], limits: tuple[object, ...], scalar: Scalar) -> float:
    pattern, noun = (_WHOLE, "a whole number") if base is int else (_DECIMAL, "a number")
    bounds = next((limit for limit in limits if isinstance(limit, Range)), None)
    if bounds is not None:
        noun += f" from {bounds.least} to {bounds.greatest}"
    text = scalar.text.strip()
    if scalar.kind not in (Kind.NUMBER, Kind.UNTYPED) or not pattern.fullmatch(text):
        raise Mismatch(noun)
    value = base(text)
    if bounds is not None and not bounds.least <= value <= bounds.greatest:
        raise Mismatch(noun)
    return value


def _rate(limits: tuple[object, ...], scalar: Scalar) -> Pico:
    """Read source text straight into whole pico-USD per unit; a quoted number is as good."""
    each = Each() in limits
    parse, expected = (parse_usd_each, _EACH) if each else (parse_usd_per_million, _RATE)
    try:
        rate = parse(scalar.text)
    except AmountError:
        raise Mismatch(expected) from None
    if rate > (EACH_MAX if each else RATE_MAX):
        raise Mismatch(expected)
    return rate


def _moment(scalar: Scalar) -> dt.datetime:
    """Read ISO 8601, a date being its first instant; without an offset it is UTC."""
    try:
        moment = dt.datetime.fromisoformat(scalar.text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise Mismatch("a date or time like 2026-01-31 or 2026-01-31T12:00:00Z") from None


def _text(limits: tuple[object, ...], scalar: Scalar) -> str:
    matches = next((limit for limit in limits if isinstance(limit, Matches)), None)
    expected = matches.expected if matches else "text"
    if scalar.kind not in (Kind.TEXT, Kind.UNTYPED):
        raise Mismatch(f"{expected}, in quotes" if scalar.kind is not Kind.NULL else expected)
    if matches is not None and not matches.allows(scalar.text):
        raise Mismatch(expected)
    return scalar.text
