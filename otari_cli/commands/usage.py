"""`otari usage`: what was used, request by request or added up."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from otari_cli.context import Operator, now, operator_of
from otari_cli.options import FormOption, moment
from otari_cli.table import Column
from otari_cli.text import count, counted, dollars, when
from otari_cli.views import REQUESTS

if TYPE_CHECKING:
    from otari_daemon.protocol.messages import UsageQuery, UsageSummaryRow

app = typer.Typer(rich_markup_mode=None)
SINCE_ADDED_UP = "7d"

SUMMARY: tuple[Column[UsageSummaryRow], ...] = (
    Column("GROUP", lambda row: row.group or "(none)", shrinks=True),
    Column("REQUESTS", lambda row: str(row.requests), right=True),
    Column("IN", lambda row: count(row.prompt_tokens), rank=1, right=True),
    Column("OUT", lambda row: count(row.completion_tokens), rank=2, right=True),
    Column("COST", lambda row: dollars(row.cost_usd), right=True),
)


@app.command()
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


def _add_up(operator: Operator, by: str, query: UsageQuery) -> None:
    rows = operator.admin.usage_summary(by, query)
    operator.out.rows(rows, SUMMARY, "no requests")
    if rows and operator.out.form == "table":
        total = sum((Decimal(row.cost_usd) for row in rows), Decimal(0))
        requests = sum(row.requests for row in rows)
        operator.out.say(
            f"{counted(requests, 'request')} since {when(query.since)} UTC, {dollars(f'{total:f}')}"
        )
