"""How a change is asked for."""

from __future__ import annotations

from typing import NamedTuple


class Change(NamedTuple):
    """Judged only, or made; and the reason given for it."""

    dry_run: bool = False
    reason: str | None = None

    def query(self) -> dict[str, object]:
        """As the daemon reads it."""
        return {"dry_run": "true" if self.dry_run else None, "reason": self.reason}
