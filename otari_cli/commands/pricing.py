"""`otari pricing`: what models cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from otari_cli.context import now, operator_of
from otari_cli.options import FormOption, moment
from otari_cli.table import Column
from otari_cli.text import dollars, when
from otari_cli.writes import Write, writes

if TYPE_CHECKING:
    from otari_daemon.protocol.messages import PriceInfo

app = typer.Typer(help="Prices: what models cost.", rich_markup_mode=None, no_args_is_help=True)
Model = Annotated[str, typer.Argument(help="provider:model, or provider:* for all its others.")]
From = Annotated[
    str | None, typer.Option("--from", help="The moment it takes effect: 2026-12-01, or 7d from now.")
]

COLUMNS: tuple[Column[PriceInfo], ...] = (
    Column("MODEL", lambda price: price.model_key, shrinks=True),
    Column("IN $/M", lambda price: dollars(price.input_usd_per_million), right=True),
    Column("OUT $/M", lambda price: dollars(price.output_usd_per_million), right=True),
    Column("CACHED $/M", lambda price: dollars(price.cache_read_usd_per_million), rank=3, right=True),
    Column("WRITTEN $/M", lambda price: dollars(price.cache_write_usd_per_million), rank=4, right=True),
    Column("THOUGHT $/M", lambda price: dollars(price.reasoning_usd_per_million), rank=5, right=True),
    Column("FROM (UTC)", lambda price: when(price.effective_at)),
    Column("SOURCE", lambda price: price.source, rank=1),
    Column("IN FORCE", lambda price: "yes" if price.in_force else "no", rank=2),
)


@writes(app, "set", short_form=True)
def set_(
    write: Write,
    model: Model,
    input: Annotated[str, typer.Option("--input", help="Dollars per million input tokens.")],
    output_price: Annotated[str, typer.Option("--output", help="The same for output tokens.")],
    cache_read: Annotated[str | None, typer.Option(help="For cached input; else as input.")] = None,
    cache_write: Annotated[str | None, typer.Option(help="For input being cached; else as input.")] = None,
    reasoning: Annotated[str | None, typer.Option(help="For reasoning; else as output.")] = None,
    since: From = None,
) -> None:
    """Price a model from now on, or from a moment; in effect with the next request."""
    from otari_daemon.protocol.messages import PriceSet

    at = _from(since)
    new = PriceSet(model, input, output_price, cache_read, cache_write, reasoning, at)
    made = write.admin.set_price(new, write.change)
    rates = f"{dollars(made.input_usd_per_million)} in, {dollars(made.output_usd_per_million)} out"
    write.tell(f"{made.model_key} costs {rates} per million from {when(made.effective_at)} UTC", made)


@app.command("list")
def list_(
    ctx: typer.Context,
    model: Annotated[str | None, typer.Option(help="Of this model only.")] = None,
    output: FormOption = "table",
) -> None:
    """List every version that is stated here; built-in prices are seen with show."""
    operator = operator_of(ctx, output)
    found = operator.admin.price_history(model) if model else operator.admin.prices()
    operator.out.rows(found, COLUMNS, "no prices")


@app.command()
def show(
    ctx: typer.Context,
    model: Model,
    at: Annotated[str | None, typer.Option(help="At this moment instead of now.")] = None,
    output: FormOption = "table",
) -> None:
    """Show what a model costs, and who says so."""
    operator = operator_of(ctx, output)
    as_of = moment(at, now(), "--at", ahead=True) if at else None
    operator.out.record(operator.admin.price(model, as_of), COLUMNS)


@app.command()
def history(ctx: typer.Context, model: Model, output: FormOption = "table") -> None:
    """List the versions of one model's price, newest first."""
    operator = operator_of(ctx, output)
    operator.out.rows(operator.admin.price_history(model), COLUMNS, "no prices")


@writes(app)
def delete(write: Write, model: Model, since: From = None) -> None:
    """Remove a model's prices from the database, or the version of one moment."""
    at = _from(since)
    which = f"the price of {model} from {when(at)} UTC" if at else f"all prices of {model}"
    write.confirm(f"delete {which}?")
    write.admin.delete_price(model, at, write.change)
    write.tell(f"deleted {which}")


def _from(since: str | None) -> str | None:
    return moment(since, now(), "--from", ahead=True) if since else None
