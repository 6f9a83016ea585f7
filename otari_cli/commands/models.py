"""`otari models`: what can be asked for, and its price."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from otari_cli.context import operator_of
from otari_cli.options import FormOption
from otari_cli.table import Column
from otari_cli.text import count, dollars

if TYPE_CHECKING:
    from otari_daemon.protocol.messages import ModelInfo

app = typer.Typer(rich_markup_mode=None)

COLUMNS: tuple[Column[ModelInfo], ...] = (
    Column("MODEL", lambda model: model.id, shrinks=True),
    Column("IN $/M", lambda model: dollars(model.input_usd_per_million, "-"), right=True),
    Column("OUT $/M", lambda model: dollars(model.output_usd_per_million, "-"), right=True),
    Column("CACHED $/M", lambda model: dollars(model.cache_read_usd_per_million, "-"), rank=2, right=True),
    Column("PRICE FROM", lambda model: model.pricing_source, rank=1),
    Column("CONTEXT", lambda model: count(model.context_window), rank=3, right=True),
)


@app.command()
def models(ctx: typer.Context, output: FormOption = "table") -> None:
    """List the models; one without a price is refused unless pricing is not required."""
    operator = operator_of(ctx, output)
    operator.out.rows(operator.admin.models(), COLUMNS, "no models; configure a provider")
