"""Tables that more than one noun shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otari_cli.table import Column
from otari_cli.text import count, dollars, lasting, when

if TYPE_CHECKING:
    from otari_daemon.protocol.messages import BudgetUse, UsageRow


def status_color(row: UsageRow) -> str | None:
    """Yellow for the caller's mistakes, red for ours and the provider's, none for what went well."""
    if row.status == "success":
        return None
    return "yellow" if 400 <= (row.status_code or 500) < 500 else "red"


USES: tuple[Column[BudgetUse], ...] = (
    Column("BUDGET", lambda use: use.name, shrinks=True),
    Column("HOLDER", lambda use: use.holder, shrinks=True),
    Column("LIMIT", lambda use: dollars(use.limit_usd, "unlimited"), right=True),
    Column("SPENT", lambda use: dollars(use.posted_usd), right=True),
    Column("HELD", lambda use: dollars(use.held_usd), rank=1, right=True),
    Column("OVERAGE", lambda use: dollars(use.overage_usd), rank=3, right=True),
    Column("MODE", lambda use: use.mode, rank=4),
    Column("UNTIL (UTC)", lambda use: when(use.period_end), rank=2),
)
REQUESTS: tuple[Column[UsageRow], ...] = (
    Column("TIME (UTC)", lambda row: when(row.timestamp)),
    Column("KEY", lambda row: row.key_name or row.api_key_id or "", shrinks=True),
    Column("MODEL", lambda row: row.model, shrinks=True),
    Column("IN", lambda row: count(row.prompt_tokens), rank=2, right=True),
    Column("OUT", lambda row: count(row.completion_tokens), rank=3, right=True),
    Column("COST", lambda row: dollars(row.cost_usd), right=True),
    Column("STATUS", lambda row: str(row.status_code or row.status), color=status_color),
    Column("REASON", lambda row: row.reason, rank=4),
    Column("USER", lambda row: row.user_id or "", rank=6, shrinks=True),
    Column("FIRST", lambda row: lasting(row.first_byte_ms), rank=7, right=True),
    Column("TOOK", lambda row: lasting(row.duration_ms), rank=5, right=True),
    Column("REQUEST", lambda row: row.request_id, rank=1),
)
