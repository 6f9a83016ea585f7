"""`otari usage`: what was used, request by request or added up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from otari_cli.context import Operator, now, operator_of
from otari_cli.options import FormOption, Terms, day_or_moment, filter_of, wrong
from otari_cli.text import counted, dollars, when
from otari_cli.views import REQUESTS

if TYPE_CHECKING:
    from otari_daemon.protocol.messages import Report, ReportQuery

app = typer.Typer(rich_markup_mode=None)
SINCE_ADDED_UP = "7d"
TIMES = frozenset({"hour", "day", "month"})

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


@app.command()
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
