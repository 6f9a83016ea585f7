"""Freezes: a key or user that is turned away for a while."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class FreezeCreate:
    """Turn away a key, by id or name, or a user, until a moment or, without one, until it is unfrozen."""

    holder_kind: Literal["key", "user"]
    holder_id: str
    until: str | None = None


@dataclass(frozen=True, slots=True)
class FreezeInfo:
    """Who is frozen; `holder` reads `key:<name>` or `user:<id>`. Callers are told `reason` and `until`."""

    holder: str
    until: str | None
    reason: str
    created_at: str
    uid: int
