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
    from otari_daemon.protocol.messages import PriceInfo, PriceSet, PriceSuggestion

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


def _known(proposed: PriceSet | None, name: str) -> str:
    return "-" if proposed is None else str(getattr(proposed, f"{name}_price_per_million"))


SUGGESTED: tuple[Column[PriceSuggestion], ...] = (
    Column("MODEL", lambda each: each.model_key, shrinks=True),
    Column("WHY", lambda each: each.why),
    Column("REQUESTS", lambda each: str(each.requests), rank=2, right=True),
    Column("IN $/M", lambda each: each.rates_usd.get("input", "-"), rank=1, right=True),
    Column("OUT $/M", lambda each: each.rates_usd.get("output", "-"), rank=1, right=True),
    Column(
        "KNOWN IN",
        lambda each: _known(each.proposed, "input"),
        right=True,
    ),
    Column(
        "KNOWN OUT",
        lambda each: _known(each.proposed, "output"),
        right=True,
    ),
    Column("KNOWN AS", lambda each: each.known_as or "-", rank=3, shrinks=True),
)

RATE_HELP = (
    "Another class: cache_read=0.1, cache_write=1.5, reasoning=9, audio_input=40 per million; image=0.04, "
    "request=0.01, second=0.0001, tool_call=0.01 each. May be repeated."
)
TIER_HELP = "From so many prompt tokens on: 200001:input=2.5,output=15. May be repeated."
SERVICE_HELP = "What a service tier costs, times the rest: priority=1.8. May be repeated."


@writes(app, "set", short_form=True)
def set_(
    write: Write,
    model: Model,
    input: Annotated[str, typer.Option("--input", help="Dollars per million input tokens.")],
    output_price: Annotated[str, typer.Option("--output", help="The same for output tokens.")],
    since: From = None,
    rate: Annotated[list[str] | None, typer.Option(help=RATE_HELP)] = None,
    tier: Annotated[list[str] | None, typer.Option(help=TIER_HELP)] = None,
    service: Annotated[list[str] | None, typer.Option(help=SERVICE_HELP)] = None,
) -> None:
    """Price a model from now on, or from a moment; in effect with the next request."""
    from otari_cli.rates import priced

    at = _from(since)
    new = priced(model, {"input": input, "output": output_price}, at, rate, tier, service)
    made = write.admin.set_price(new, write.change)
    rates = f"{dollars(made.input_usd_per_million)} in, {dollars(made.output_usd_per_million)} out"
    write.tell(f"{made.model_key} costs {rates} per million from {when(made.effective_at)} UTC", made)


@app.command("list")
def list_(
    ctx: typer.Context,
    model: Annotated[str | None, typer.Option(help="Of this model only.")] = None,
    output: FormOption = "table",
) -> None:
    """List every version that is stated here, and then the bundled prices of the providers here."""
    operator = operator_of(ctx, output)
    found = operator.admin.price_history(model) if model else operator.admin.prices()
    operator.out.rows(found, COLUMNS, "no prices")


@app.command()
def suggest(
    ctx: typer.Context,
    since: Annotated[str, typer.Option(help="Asked for since: 30d, 2026-11-01.")] = "30d",
    output: FormOption = "table",
) -> None:
    """List models refused for want of a price, used at a bundled one, or priced otherwise than is known."""
    operator = operator_of(ctx, output)
    found = operator.admin.price_suggestions(moment(since, now(), "--since", ahead=False))
    operator.out.rows(found, SUGGESTED, "nothing to suggest")


@writes(app)
def sync(
    write: Write,
    apply: Annotated[bool, typer.Option("--apply", help="Set them; without, only show them.")] = False,
    refused: Annotated[bool, typer.Option("--refused", help="Price refused models too.")] = False,
) -> None:
    """Show where the database's prices differ from the bundled ones; with --apply, take those from now on."""
    wanted = {"differs", "refused"} if refused else {"differs"}
    suggested = write.admin.price_suggestions(None)
    found = [each for each in suggested if each.why in wanted and each.proposed]
    if not apply or not found:
        write.operator.out.rows(found, SUGGESTED, "the database's prices are those that are known")
        return
    write.confirm(f"set the prices of {len(found)} models?")
    for each in found:
        if each.proposed is not None:
            made = write.admin.set_price(each.proposed, write.change)
            write.tell(f"{made.model_key} costs what is known of {each.known_as}", made)


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
