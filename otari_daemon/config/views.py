"""What can be said of a configuration: listed with masks, fingerprinted, compared."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from otari_daemon.config.secret import Secret
from otari_daemon.domain.money import format_usd_per_million, format_usd_pico

if TYPE_CHECKING:
    from otari_daemon.config.schema import Config

Plain = dict[str, Any]
_RATES: dict[str, Callable[[int], str]] = {"million": format_usd_per_million, "each": format_usd_pico}


def shown(config: Config) -> Plain:
    """List every effective value under its key, ready for JSON; secrets are masked, rates are decimals."""
    return _section(config, lambda secret: secret.masked)


def fingerprint(config: Config) -> str:
    """Hash every effective value to 64 hex digits; no secret can be read back from it."""
    plain = _section(config, lambda secret: hashlib.sha256(secret.reveal().encode()).hexdigest())
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def pending_restart(old: Config, new: Config) -> tuple[str, ...]:
    """Name the dotted keys that differ and take effect only after a restart."""
    return tuple(_pending(old, new, ""))


def _pending(old: Any, new: Any, prefix: str) -> list[str]:
    pending = []
    for field in dataclasses.fields(old):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if field.metadata.get("restart") and before != after:
            pending.append(prefix + field.name)
        elif dataclasses.is_dataclass(before):
            pending += _pending(before, after, f"{prefix}{field.name}.")
    return pending


def _section(section: Any, hide: Callable[[Secret], str]) -> Plain:
    plain: Plain = {}
    for field in dataclasses.fields(section):
        value = getattr(section, field.name)
        unit = field.metadata.get("rate")
        plain[field.name] = _plain(value, hide) if unit is None or value is None else _RATES[unit](value)
    return plain


def _plain(value: Any, hide: Callable[[Secret], str]) -> Any:
    if isinstance(value, Secret):
        return hide(value)
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _plain(item, hide) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item, hide) for item in value]
    return _section(value, hide) if dataclasses.is_dataclass(value) else value
