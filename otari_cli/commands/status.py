"""`otari status`: how the daemon is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from otari_cli.context import operator_of
from otari_cli.exits import Exit
from otari_cli.options import FormOption
from otari_cli.table import Column
from otari_cli.text import counted, dollars, lasting

if TYPE_CHECKING:
    from otari_daemon.protocol.messages import Status

app = typer.Typer(rich_markup_mode=None)

COLUMNS: tuple[Column[Status], ...] = (
    Column("VERSION", lambda status: status.version),
    Column("PID", lambda status: str(status.pid)),
    Column("UP", lambda status: lasting(status.uptime_s * 1000)),
    Column("LISTEN", lambda status: status.listen),
    Column("SOCKET", lambda status: status.admin_socket),
    Column("CONFIG", lambda status: _config(status)),
    Column("DATABASE", lambda status: status.database),
    Column("LEDGER", lambda status: _ledger(status)),
    Column("REQUESTS", lambda status: f"{status.requests_total}, {status.in_flight} in flight"),
    Column("BUSIEST", lambda status: _busiest(status)),
    Column("HELD", lambda status: f"{dollars(status.held_usd)} in {counted(status.open_holds, 'hold')}"),
    Column("PROVIDERS", lambda status: _providers(status)),
)


@app.command()
def status(ctx: typer.Context, output: FormOption = "table") -> None:
    """Show how the daemon is; exit 1 when it cannot write its ledger."""
    operator = operator_of(ctx, output)
    found = operator.admin.status()
    operator.out.record(found, COLUMNS)
    if not found.ledger_available:
        raise typer.Exit(Exit.FAILED)


def _config(status: Status) -> str:
    source = status.config_source or "defaults"
    return f"generation {status.generation} ({status.config_digest[:12]}) from {source}"


def _busiest(status: Status) -> str:
    return ", ".join(f"{each.holder} {each.requests}" for each in status.busiest) or "nobody"


def _ledger(status: Status) -> str:
    waiting = counted(status.ledger_backlog, "operation")
    if not status.ledger_available:
        return f"UNAVAILABLE, {waiting} unwritten: nothing billable is admitted"
    return f"available, {waiting} to write{_proof(status)}"


def _proof(status: Status) -> str:
    proven = ", not audited yet"
    if status.audited_s_ago is not None:
        proven = f", audited {lasting(status.audited_s_ago * 1000)} ago"
    if not status.hold_leaks:
        return proven
    return f"{proven}; {counted(status.hold_leaks, 'hold')} LEAKED and closed as ambiguous"


def _providers(status: Status) -> str:
    names = ", ".join(provider.name for provider in status.providers) or "none"
    return f"{names} (mock answers without a network)" if status.mock else names
