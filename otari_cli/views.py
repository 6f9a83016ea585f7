"""Tables that more than one noun shows."""

from __future__ import annotations

from otari_cli.table import Column
from otari_cli.text import count, dollars, lasting, when
from otari_daemon.protocol.messages import BudgetUse, UsageRow


def status_color(row: UsageRow) -> str | None:
    """Yellow for the caller's mistakes, red for ours and the provider's, none for what went well."""
    if row.status == "success":
        return None
    return "yellow" if 400 <= (row.status_code or 500) < 500 else "red"


USES = (
    Column[BudgetUse]("BUDGET", lambda use: use.name, shrinks=True),
    Column[BudgetUse]("HOLDER", lambda use: use.holder, shrinks=True),
    Column[BudgetUse]("LIMIT", lambda use: dollars(use.limit_usd, "unlimited"), right=True),
    Column[BudgetUse]("SPENT", lambda use: dollars(use.posted_usd), right=True),
    Column[BudgetUse]("HELD", lambda use: dollars(use.held_usd), rank=1, right=True),
    Column[BudgetUse]("OVERAGE", lambda use: dollars(use.overage_usd), rank=3, right=True),
    Column[BudgetUse]("MODE", lambda use: use.mode, rank=4),
    Column[BudgetUse]("UNTIL (UTC)", lambda use: when(use.period_end), rank=2),
)
REQUESTS = (
    Column[UsageRow]("TIME (UTC)", lambda row: when(row.timestamp)),
    Column[UsageRow]("KEY", lambda row: row.key_name or row.api_key_id or "", shrinks=True),
    Column[UsageRow]("MODEL", lambda row: row.model, shrinks=True),
    Column[UsageRow]("IN", lambda row: count(row.prompt_tokens), rank=2, right=True),
    Column[UsageRow]("OUT", lambda row: count(row.completion_tokens), rank=3, right=True),
    Column[UsageRow]("COST", lambda row: dollars(row.cost_usd), right=True),
    Column[UsageRow]("STATUS", lambda row: str(row.status_code or row.status), color=status_color),
    Column[UsageRow]("REASON", lambda row: row.reason, rank=4),
    Column[UsageRow]("USER", lambda row: row.user_id or "", rank=6, shrinks=True),
    Column[UsageRow]("FIRST", lambda row: lasting(row.first_byte_ms), rank=7, right=True),
    Column[UsageRow]("TOOK", lambda row: lasting(row.duration_ms), rank=5, right=True),
    Column[UsageRow]("REQUEST", lambda row: row.request_id, rank=1),
)
