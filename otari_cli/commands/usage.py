"""`otari usage`: what was used, request by request or added up."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from otari_cli.context import Operator, now, operator_of
from otari_cli.exits import Exit
from otari_cli.options import FormOption, moment
from otari_cli.table import Column
from otari_cli.text import count, counted, dollars, when
from otari_cli.views import REQUESTS
from otari_cli.writes import Write, writes

if TYPE_CHECKING:
    from otari_daemon.protocol.messages import RepricedModel, RepriceReport, UsageQuery, UsageSummaryRow

app = typer.Typer(rich_markup_mode=None)
SINCE_ADDED_UP = "7d"

SUMMARY: tuple[Column[UsageSummaryRow], ...] = (
    Column("GROUP", lambda row: row.group or "(none)", shrinks=True),
    Column("REQUESTS", lambda row: str(row.requests), right=True),
    Column("IN", lambda row: count(row.prompt_tokens), rank=1, right=True),
    Column("OUT", lambda row: count(row.completion_tokens), rank=2, right=True),
    Column("COST", lambda row: dollars(row.cost_usd), right=True),
)
REPRICED: tuple[Column[RepricedModel], ...] = (
    Column("MODEL", lambda row: row.model, shrinks=True),
    Column("REQUESTS", lambda row: str(row.requests), right=True),
    Column("CREDITS", lambda row: str(row.credits), rank=1, right=True),
    Column("DEBITS", lambda row: str(row.debits), rank=2, right=True),
    Column("OLD", lambda row: dollars(row.old_usd), right=True),
    Column("NEW", lambda row: dollars(row.new_usd), right=True),
    Column("CHANGE", lambda row: dollars(row.delta_usd), right=True),
)


@app.callback(invoke_without_command=True)
def usage(
    ctx: typer.Context,
    by: Annotated[
        Literal["key", "user", "model", "provider", "day"] | None, typer.Option(help="Add up by this.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help=f"From when on: 12h, 2026-11-01. With --by, {SINCE_ADDED_UP}.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Up to when, itself left out.")] = None,
    key: Annotated[str | None, typer.Option(help="Of this key only, by id or name.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many requests.")] = 20,
    output: FormOption = "table",
) -> None:
    """Show settled requests, newest first, or with --by what they add up to."""
    from otari_daemon.protocol.messages import UsageQuery

    if ctx.invoked_subcommand is not None:
        return
    operator = operator_of(ctx, output)
    at = now()
    start = since or (SINCE_ADDED_UP if by else None)
    query = UsageQuery(
        since=moment(start, at, "--since", ahead=False) if start else None,
        until=moment(until, at, "--until", ahead=False) if until else None,
        key=key,
        limit=limit,
    )
    if by is None:
        operator.out.rows(operator.admin.usage_rows(query), REQUESTS, "no requests")
    else:
        _add_up(operator, by, query)


@writes(app)
def reprice(
    write: Write,
    since: Annotated[str | None, typer.Option(help="From when on: 12h, 2026-11-01.")] = None,
    until: Annotated[str | None, typer.Option(help="Up to when, itself left out.")] = None,
    model: Annotated[str | None, typer.Option(help="Of this model only, like openai:gpt-5.6.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Correct what differs; else only show it.")] = False,
    allow_debits: Annotated[
        bool, typer.Option("--allow-debits", help="Charge more, too, where the price was too low.")
    ] = False,
) -> None:
    """Price settled requests again, by the prices in force when each was made.

    A correction is an entry of its own: a credit at once, a debit with --allow-debits. Repeating it changes
    nothing.
    """
    from otari_daemon.protocol.messages import Reprice

    at = now()
    asked = Reprice(
        moment(since, at, "--since", ahead=False) if since else None,
        moment(until, at, "--until", ahead=False) if until else None,
        model,
        allow_debits,
    )
    look = write.change.dry_run or not apply
    if not look:
        write.confirm("correct what settled requests were charged?")
    report = write.admin.reprice(asked, write.change._replace(dry_run=look))
    _show_repriced(write.operator, report, look=look)
    if not look and (report.left or report.debits_refused):
        raise typer.Exit(Exit.PARTIAL)


def _show_repriced(operator: Operator, report: RepriceReport, *, look: bool) -> None:
    out = operator.out
    if out.form != "table":
        out.record(report, ())
        return
    out.rows(report.models, REPRICED, "no settled requests")
    differ = sum(row.credits + row.debits for row in report.models)
    verdict = "nothing was changed" if look else counted(report.made, "correction") + " made"
    out.say(
        f"{counted(report.requests, 'request')}, {differ} differ: {dollars(report.credits_usd)} to credit, "
        f"{dollars(report.debits_usd)} to debit; {verdict}"
    )
    for number, what in (
        (report.debits_refused, "would cost more: charge them with --allow-debits"),
        (report.left, "are left: run it again"),
        (report.reconciled, "follow their provider's bill and are left alone"),
        (report.unknown_tier, "were served under a service tier that is not told: `otari reconcile` them"),
        (report.unpriced, "have no price then: set one with `otari pricing set`"),
    ):
        if number:
            out.say(f"{counted(number, 'request')}: {what}")


def _add_up(operator: Operator, by: str, query: UsageQuery) -> None:
    rows = operator.admin.usage_summary(by, query)
    operator.out.rows(rows, SUMMARY, "no requests")
    if rows and operator.out.form == "table":
        total = sum((Decimal(row.cost_usd) for row in rows), Decimal(0))
        requests = sum(row.requests for row in rows)
        operator.out.say(
            f"{counted(requests, 'request')} since {when(query.since)} UTC, {dollars(f'{total:f}')}"
        )
