"""Who changes something."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asked for a change, as the kernel vouches for it, and the reason they gave."""

    pid: int
    uid: int
    reason: str | None = None
