"""Users: whom a key bills."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class User:
    """Who is billed for what a key does. Times are epoch milliseconds; a deleted user keeps its rows."""

    id: str
    created_ms: int
    alias: str | None = None
    blocked: bool = False
    deleted_ms: int | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    updated_ms: int = 0
