"""What operators may write into a field; each reader names the field it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal

from otari_daemon.domain.errors import InvalidField
from otari_daemon.domain.exceeding import OnExceed, parse_on_exceed
from otari_daemon.domain.money import (
    AmountError,
    Nano,
    Pico,
    parse_usd,
    parse_usd_each,
    parse_usd_per_million,
)
from otari_daemon.protocol.codec import FieldError
from otari_daemon.protocol.shorthand import parse_duration
from otari_daemon.telemetry.clock import from_rfc3339

LABEL_CHARS_MAX = 200
MODELS_MAX = 1000
METADATA_CHARS_MAX = 16_384
MOMENT_MAX_MS = 253_402_300_799_999
"""The last moment of the year 9999."""

_PATTERN = re.compile(r"[A-Za-z0-9._-]{1,64}:[A-Za-z0-9._:/@+-]{0,200}\*?")
PERMILLE_MAX = 1_000_000
_MULTIPLIER = re.compile(r"([0-9]{1,4})(?:\.([0-9]{1,3}))?")
_SECONDS = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,9}))?")


def label(text: str, param: str) -> str:
    """A name or id that people read: printable, 1 to 200 characters, no space at either end."""
    if not 0 < len(text) <= LABEL_CHARS_MAX or not text.isprintable() or text != text.strip():
        raise InvalidField(
            f"{param} must be 1 to {LABEL_CHARS_MAX} printable characters without spaces around them",
            param=param,
        )
    return text


def amount(value: str | float | None, param: str) -> Nano | None:
    """Dollars from text, or from a JSON number exactly as it reads; None is no limit."""
    if value is None:
        return None
    try:
        return parse_usd(_written(value))
    except AmountError as error:
        raise InvalidField(f"{param}: {error}", param=param) from error


def on_exceed(text: str) -> OnExceed:
    """What to do without room: `block`, `throttle` or `fallback:<model>`."""
    try:
        return parse_on_exceed(text)
    except ValueError as error:
        raise InvalidField(f"on_exceed {error}", param="on_exceed") from error


def rate(value: str | float, param: str) -> Pico:
    """Dollars per million units, read as `amount` reads dollars."""
    try:
        return parse_usd_per_million(_written(value))
    except AmountError as error:
        raise InvalidField(f"{param}: {error}", param=param) from error


def each(value: str | float, param: str) -> Pico:
    """Dollars for one piece, read as `amount` reads dollars."""
    try:
        return parse_usd_each(_written(value))
    except AmountError as error:
        raise InvalidField(f"{param}: {error}", param=param) from error


def permille(value: object, param: str) -> int:
    """A multiplier from 0.001 to 1000, of at most three decimals, in thousandths."""
    text = value if isinstance(value, str) else repr(value)
    match = _MULTIPLIER.fullmatch(text)
    times = int(match[1] + (match[2] or "").ljust(3, "0")) if match else 0
    if not 0 < times <= PERMILLE_MAX:
        raise InvalidField(f"{param} must be a multiplier from 0.001 to 1000, like 1.8", param=param)
    return times


def moment(text: str, param: str) -> int:
    """Epoch milliseconds of an RFC 3339 time from 1970 to 9999; without an offset it is UTC."""
    try:
        return _bounded(from_rfc3339(text))
    except (ValueError, OverflowError) as error:
        raise InvalidField(
            f"{param} must be a time from 1970 on, like 2027-01-31T00:00:00Z", param=param
        ) from error


def point(text: str, param: str, now_ms: int) -> int:
    """Epoch milliseconds of a duration before now like `7d`, of epoch seconds, or of an RFC 3339 time."""
    try:
        return max(0, now_ms - parse_duration(text, param) * 1000)
    except FieldError:
        seconds = _SECONDS.fullmatch(text)
    try:
        return _bounded(int(Decimal(text) * 1000)) if seconds else _bounded(from_rfc3339(text))
    except (ValueError, OverflowError) as error:
        raise InvalidField(
            f"{param} must be a time like 2027-01-31T00:00:00Z, epoch seconds, or a duration like 7d",
            param=param,
        ) from error


def patterns(models: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Models a key may name, as `provider:model`, `provider:*` or `provider:prefix*`."""
    if models is None:
        return None
    if len(models) > MODELS_MAX:
        raise InvalidField(f"allowed_models may have at most {MODELS_MAX} entries", param="allowed_models")
    for model in models:
        if not _PATTERN.fullmatch(model) or model.endswith(":"):
            raise InvalidField(
                f"allowed_models: {model[:LABEL_CHARS_MAX]!r} is not provider:model, provider:* or "
                "provider:prefix*",
                param="allowed_models",
            )
    return tuple(dict.fromkeys(models))


def metadata(given: Mapping[str, object]) -> Mapping[str, object]:
    """An object of the operator's own, small enough to be listed a thousand times."""
    if len(json.dumps(given)) > METADATA_CHARS_MAX:
        raise InvalidField(f"metadata is over {METADATA_CHARS_MAX} characters", param="metadata")
    return given


def _written(value: str | float) -> str:
    return value if isinstance(value, str) else f"{Decimal(repr(value)):f}"


def _bounded(at_ms: int) -> int:
    if not 0 <= at_ms <= MOMENT_MAX_MS:
        raise ValueError("not from 1970 to 9999")
    return at_ms
