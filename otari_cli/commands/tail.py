"""`otari tail`: requests as they are settled, and refusals as they happen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from otari_cli.context import Operator, now, operator_of
from otari_cli.options import FormOption, Terms, filter_of, moment, wrong
from otari_cli.output import Output
from otari_cli.text import count, dollars, lasting
from otari_cli.views import REQUESTS, status_color

if TYPE_CHECKING:
    from otari_cli.following import Feed
    from otari_daemon.protocol.filters import Filter
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
    terms: Terms = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what happens.")] = False,
    since: Annotated[str | None, typer.Option(help="Begin with requests since then: 2h.")] = None,
    after: Annotated[str | None, typer.Option(help="Resume after this cursor; follows.")] = None,
    output: FormOption = "table",
) -> None:
    """Show the latest requests, oldest first; with -f follow what happens, over restarts of the daemon.

    FILTER terms are those of `otari usage`. Refusals are followed too, unless a term asks about what they do
    not have; they are on no bill. With -o jsonl every event has its cursor.
    """
    operator, where = operator_of(ctx, output), filter_of(terms)
    if not (follow or after):
        past = _past(operator, since or "24h", 20 if since is None else BACK, where)
        operator.out.rows(past, REQUESTS, "no requests")
        return
    if output not in ("table", "jsonl"):
        raise wrong("--output", "is table or jsonl when following")
    from otari_cli.following import Feed

    _follow(operator, Feed(operator, after), since, where)


def _follow(operator: Operator, feed: Feed, since: str | None, where: str | None) -> None:
    """Open the feed first and look back second, so that nothing falls between the two."""
    from otari_daemon.protocol.filters import parse_filter
    from otari_daemon.protocol.messages import Event

    events, wanted = feed.opened(), parse_filter(where)
    past = _past(operator, since, BACK, where) if since else []
    for row in past:
        _show(operator.out, Event("", "request", row=row))
        feed.saw(row.request_id)
    for event in events:
        if _holds(wanted, event):
            _show(operator.out, event)


def _holds(wanted: Filter, event: Event) -> bool:
    """Whether a filter holds for an event; a refusal has no cost, no tokens and no tags."""
    from otari_daemon.protocol.filters import look_at, look_at_refusal

    if event.row is not None:
        return wanted.holds(look_at(event.row))
    return event.refusal is not None and wanted.holds(look_at_refusal(event.refusal))


def _past(operator: Operator, since: str, limit: int, where: str | None) -> list[UsageRow]:
    from otari_daemon.protocol.messages import UsageQuery

    start = moment(since, now(), "--since", ahead=False)
    return operator.admin.usage_rows(UsageQuery(since=start, limit=limit, where=where))[::-1]


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
