"""`otari tail`: requests as they are settled, and refusals as they happen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from otari_cli.context import Operator, now, operator_of
from otari_cli.exits import Unreachable
from otari_cli.options import FormOption, moment, wrong
from otari_cli.output import Output
from otari_cli.text import count, dollars, lasting
from otari_cli.views import REQUESTS, status_color

if TYPE_CHECKING:
    from otari_daemon.protocol.messages import Event, Refusal, UsageRow

app = typer.Typer(rich_markup_mode=None)
BACK = 1000
"""No more past requests are shown before following."""


class Shown(NamedTuple):
    """A line and its color."""

    line: str
    color: str | None


@app.command()
def tail(
    ctx: typer.Context,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what happens.")] = False,
    since: Annotated[str | None, typer.Option(help="Begin with requests since then: 2h.")] = None,
    after: Annotated[str | None, typer.Option(help="Resume after this cursor; follows.")] = None,
    output: FormOption = "table",
) -> None:
    """Show the latest requests, oldest first; with -f follow what happens.

    Refusals are followed too; they are on no bill. With -o jsonl every event has its cursor.
    """
    operator = operator_of(ctx, output)
    if not (follow or after):
        operator.out.rows(
            _past(operator, since or "24h", 20 if since is None else BACK), REQUESTS, "no requests"
        )
        return
    if output not in ("table", "jsonl"):
        raise wrong("--output", "is table or jsonl when following")
    _follow(operator, since, after)


def _follow(operator: Operator, since: str | None, after: str | None) -> None:
    """Open the feed first and look back second, so that nothing falls between the two."""
    from otari_daemon.protocol.messages import Event

    events = operator.admin.events(after)
    past = _past(operator, since, BACK) if since else []
    for row in past:
        _show(operator.out, Event("", "request", row=row))
    seen = {row.request_id for row in past}
    cursor = after
    for event in events:
        cursor = event.cursor
        if event.row is None or event.row.request_id not in seen:
            _show(operator.out, event)
    resume = f"resume with `otari tail --after {cursor}`" if cursor else None
    raise Unreachable("the daemon ended the feed", hint=resume)


def _past(operator: Operator, since: str, limit: int) -> list[UsageRow]:
    from otari_daemon.protocol.messages import UsageQuery

    start = moment(since, now(), "--since", ahead=False)
    return operator.admin.usage_rows(UsageQuery(since=start, limit=limit))[::-1]


def _show(out: Output, event: Event) -> None:
    if event.row is not None:
        out.item(event, *_request(event.row))
    elif event.refusal is not None:
        out.item(event, *_refusal(event.refusal))


def _request(row: UsageRow) -> Shown:
    parts = (
        row.timestamp[11:19],
        str(row.status_code or row.status),
        row.key_name or row.api_key_id or "-",
        row.model,
        f"{count(row.prompt_tokens)}/{count(row.completion_tokens)}",
        f"first {lasting(row.first_byte_ms)}" if row.first_byte_ms is not None else "",
        lasting(row.duration_ms),
        dollars(row.cost_usd),
        row.reason,
        row.request_id,
    )
    return Shown("  ".join(part for part in parts if part), status_color(row))


def _refusal(refusal: Refusal) -> Shown:
    parts = (
        refusal.timestamp[11:19],
        str(refusal.status_code),
        refusal.key_name or refusal.api_key_id or "-",
        refusal.model or "-",
        f"refused: {refusal.message}",
        refusal.request_id,
    )
    return Shown("  ".join(parts), "yellow")
