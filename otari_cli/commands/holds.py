"""`otari holds`: money set aside for requests in flight."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from otari_cli.context import operator_of
from otari_cli.options import FormOption
from otari_cli.table import Column
from otari_cli.text import count, counted, dollars, lasting

if TYPE_CHECKING:
    from otari_daemon.protocol.messages import HoldInfo

app = typer.Typer(rich_markup_mode=None)

COLUMNS: tuple[Column[HoldInfo], ...] = (
    Column("REQUEST", lambda hold: hold.request_id),
    Column("AGE", lambda hold: lasting(hold.age_ms), right=True),
    Column("AMOUNT", lambda hold: dollars(hold.amount_usd), right=True),
    Column("KEY", lambda hold: hold.key_name or hold.key_id or "", shrinks=True),
    Column("MODEL", lambda hold: hold.model, rank=1, shrinks=True),
    Column("STATE", lambda hold: _state(hold), rank=2),
    Column("UNDER", lambda hold: ", ".join(hold.ceilings), rank=3, shrinks=True),
)


@app.command()
def holds(
    ctx: typer.Context,
    key: Annotated[str | None, typer.Option(help="Of this key only, by id or name.")] = None,
    output: FormOption = "table",
) -> None:
    """Show what is held now, oldest first: for how long, for whom, and how far each answer is."""
    operator = operator_of(ctx, output)
    found = [hold for hold in operator.admin.holds() if key in (None, hold.key_id, hold.key_name)]
    operator.out.rows(found, COLUMNS, "nothing is held")
    if found and output == "table":
        total = sum((Decimal(hold.amount_usd) for hold in found), Decimal(0))
        oldest = lasting(max(hold.age_ms for hold in found))
        operator.out.say(f"{counted(len(found), 'hold')}, {dollars(f'{total:f}')}, the oldest for {oldest}")


def _state(hold: HoldInfo) -> str:
    if not hold.stream:
        return "waiting"
    return f"streaming, {count(hold.output_tokens)} out" if hold.output_tokens else "waiting to stream"
