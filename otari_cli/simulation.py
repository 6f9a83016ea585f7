"""How a tried budget is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otari_cli.output import Output
from otari_cli.table import Column
from otari_cli.text import counted, dollars, lasting, when

if TYPE_CHECKING:
    from otari_daemon.protocol.messages import SimulatedHolder, Simulation

LISTED = 5

HOLDERS: tuple[Column[SimulatedHolder], ...] = (
    Column("HOLDER", lambda row: row.holder, shrinks=True),
    Column("REQUESTS", lambda row: str(row.requests), right=True),
    Column("REFUSED", lambda row: f"{row.refused} ({_percent(row.refused, row.requests)})", right=True),
    Column("FIRST REFUSED (UTC)", lambda row: when(row.first_refused_at), rank=1),
    Column("SPENT", lambda row: dollars(row.actual_usd), right=True),
    Column("WOULD SPEND", lambda row: dollars(row.allowed_usd), right=True),
)


def show(out: Output, found: Simulation) -> None:
    """A table of holders, and in words what they come to."""
    if out.form != "table":
        out.record(found, ())
        return
    out.rows(found.holders, HOLDERS, "no requests of such a holder")
    out.say(
        f"{found.refused} of {counted(found.requests, 'request')} since {when(found.since)} UTC would be "
        f"refused, the first at {when(found.first_refused_at)}; {dollars(found.actual_usd)} were spent, "
        f"{dollars(found.allowed_usd)} would be ({lasting(found.took_ms)})"
    )
    if found.refused:
        users = ", ".join(f"{each.name} {each.refused}" for each in found.users[:LISTED])
        out.say(f"users: {users}; worst day {found.worst_day}: {found.worst_day_refused}")
    if found.rebounded:
        out.say(f"{counted(found.rebounded, 'request')} set no limit; judged at what a budget sets for them")
    if not found.complete:
        out.say("there were more requests; these are the oldest")


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "0%"
