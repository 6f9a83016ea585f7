"""`otari usage`: what was used, request by request or added up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from otari_cli.context import Operator, now, operator_of
from otari_cli.exits import Exit
from otari_cli.options import FormOption, Terms, day_or_moment, filter_of, moment, wrong
from otari_cli.table import Column
from otari_cli.terms import WithTerms
from otari_cli.text import counted, dollars, when
from otari_cli.views import REQUESTS
from otari_cli.writes import Write, writes

if TYPE_CHECKING:
    from otari_daemon.protocol.messages import Report, ReportQuery, RepricedModel, RepriceReport

app = typer.Typer(cls=WithTerms, rich_markup_mode=None)
SINCE_ADDED_UP = "7d"
TIMES = frozenset({"hour", "day", "month"})

REPRICED: tuple[Column[RepricedModel], ...] = (
    Column("MODEL", lambda row: row.model, shrinks=True),
    Column("REQUESTS", lambda row: str(row.requests), right=True),
    Column("CREDITS", lambda row: str(row.credits), rank=1, right=True),
    Column("DEBITS", lambda row: str(row.debits), rank=2, right=True),
    Column("OLD", lambda row: dollars(row.old_usd), right=True),
    Column("NEW", lambda row: dollars(row.new_usd), right=True),
    Column("CHANGE", lambda row: dollars(row.delta_usd), right=True),
)
By = Annotated[
    str | None,
    typer.Option(help="Add up by key, user, model, provider, endpoint, status, tag:NAME, hour, day, month."),
]
Since = Annotated[str | None, typer.Option(help="From when on: 12h, today, mtd, 2026-11-01.")]
Until = Annotated[str | None, typer.Option(help="Up to when, itself left out.")]
Compare = Annotated[Literal["previous"] | None, typer.Option(help="Beside the span just as long before.")]
Sort = Annotated[Literal["cost", "requests", "tokens", "name"], typer.Option(help="What comes first.")]
Export = Annotated[Literal["focus"] | None, typer.Option(help="Export FOCUS 1.2 charges by day.")]
Ends = Annotated[bool, typer.Option("--forecast", help="Where budgets will stand when their period ends.")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="At most so many requests or groups.")]


@app.callback(invoke_without_command=True)
def usage(  # noqa: PLR0913, PLR0917 - the options are the interface
    ctx: typer.Context,
    terms: Terms = None,
    by: By = None,
    since: Since = None,
    until: Until = None,
    key: Annotated[str | None, typer.Option(help="Of this key only, by id or name.")] = None,
    user: Annotated[str | None, typer.Option(help="Of this user only.")] = None,
    model: Annotated[str | None, typer.Option(help="Of this model only; * is anything.")] = None,
    provider: Annotated[str | None, typer.Option(help="Of this provider only.")] = None,
    compare: Compare = None,
    spark: Annotated[bool, typer.Option("--spark", help="Show each group's trend.")] = False,
    sort: Sort = "cost",
    forecast: Ends = False,
    format: Export = None,
    limit: Limit = 20,
    output: FormOption = "table",
) -> None:
    """Show settled requests, newest first, or with --by what they add up to.

    FILTER terms read field:value, like user:ana model:gpt-* status:>=400 cost:>0.01 tag:team=search; all of
    them must hold, and ! turns one around.
    """
    from otari_daemon.protocol.messages import ReportQuery, UsageQuery

    if ctx.invoked_subcommand is not None:
        return
    operator, at = operator_of(ctx, output), now()
    start = since or (SINCE_ADDED_UP if by or format else None)
    begin = day_or_moment(start, at, "--since") if start else None
    end = day_or_moment(until, at, "--until") if until else None
    named = {"user": user, "model": model, "provider": provider}
    if forecast:
        _forecast(operator)
    elif by is None and format is None:
        query = UsageQuery(since=begin, until=end, key=key, limit=limit, where=filter_of(terms, **named))
        operator.out.rows(operator.admin.usage_rows(query), REQUESTS, "no requests")
    else:
        where = filter_of(terms, key=key, **named)
        trend = _trend(by or "", start or "") if spark else None
        asked = ReportQuery(by or "", begin, end, where, compare, trend, sort, limit)
        (_add_up if format is None else _export)(operator, asked)


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


def _trend(by: str, start: str) -> Literal["hour", "day"]:
    if TIMES & {*by.split(",")}:
        raise wrong("--spark", "is for reports that are not by time themselves")
    return "hour" if start in ("today", "1d") or start[-1:] in ("h", "m", "s") else "day"


def _add_up(operator: Operator, query: ReportQuery) -> None:
    report = operator.admin.usage_report(query)
    if operator.out.form in ("json", "yaml"):
        operator.out.record(report, ())
    elif operator.out.form == "table":
        _table(operator, report)
    else:
        operator.out.rows(_flat(report), (), "")


def _table(operator: Operator, report: Report) -> None:
    from otari_cli import reports

    out, total = operator.out, report.totals
    out.rows(reports.rows(report), reports.columns(report), "no requests")
    if report.rows:
        shown = len(report.rows)
        most = f", the first {shown} of {report.groups}" if report.groups > shown else ""
        requests = counted(total.requests, "request")
        out.say(f"{requests} since {when(report.since)} UTC, {dollars(total.cost_usd)}{most}")
    if not report.exact:
        out.say("what reports are made of is being built anew: these sums may not be whole yet")


def _flat(report: Report) -> list[dict[str, Any]]:
    """Groups with a field for each word of the report, for spreadsheets."""
    from otari_daemon.protocol.codec import dump

    dumped: list[dict[str, Any]] = dump(report.rows)
    return [dict(zip(report.by, row.pop("group"), strict=True)) | row for row in dumped]


def _forecast(operator: Operator) -> None:
    from otari_cli.reports import FORECASTS

    operator.out.rows(operator.admin.usage_forecast(), FORECASTS, "no budget is assigned to anybody")


def _export(operator: Operator, query: ReportQuery) -> None:
    from dataclasses import replace

    from otari_cli import focus

    if operator.out.form in ("table", "yaml"):
        raise wrong("--format focus", "goes with -o csv, json or jsonl")
    by = ",".join(focus.BY)
    report = operator.admin.usage_report(replace(query, by=by, sort="name", limit=focus.ROWS_MAX))
    operator.out.rows(focus.charges(report), (), "")
    operator.out.say(f"FOCUS {focus.VERSION}: {counted(len(report.rows), 'charge')}")
