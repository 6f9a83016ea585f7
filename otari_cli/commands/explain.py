"""`otari explain`: why a request cost what it did, or why it was refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from otari_cli.context import now, operator_of
from otari_cli.options import FormOption, moment, wrong
from otari_cli.table import Column
from otari_cli.text import dollars, lasting, plain, when

if TYPE_CHECKING:
    from otari_daemon.protocol.messages import (
        CeilingExplained,
        ChargeExplained,
        Explanation,
        HoldExplained,
        RefusalGroup,
    )

app = typer.Typer(rich_markup_mode=None)
CELLS = 80
TITLE_CELLS = 9

GROUPS: tuple[Column[RefusalGroup], ...] = (
    Column("COUNT", lambda group: str(group.count), right=True),
    Column("CODE", lambda group: group.code),
    Column("BUDGET", lambda group: group.budget or "", shrinks=True),
    Column("LIMIT", lambda group: group.limit or ""),
    Column("LAST (UTC)", lambda group: when(group.last.timestamp)),
    Column("KEY", lambda group: group.last.key_name or group.last.api_key_id or "", rank=2, shrinks=True),
    Column("REQUEST", lambda group: group.last.request_id, rank=3),
    Column("MESSAGE", lambda group: group.last.message, rank=1, shrinks=True),
    Column("TO DO", lambda group: group.advice, rank=4, shrinks=True),
)


@app.command()
def explain(
    ctx: typer.Context,
    request_id: Annotated[str | None, typer.Argument(help="As in X-Request-ID and `otari usage`.")] = None,
    refused: Annotated[bool, typer.Option("--refused", help="Group what was turned away.")] = False,
    shadow: Annotated[
        bool,
        typer.Option("--shadow", help="With --refused: what budgets that only watch would have refused."),
    ] = False,
    since: Annotated[str | None, typer.Option(help="From when on, with --refused: 1h, 2026-11-01.")] = None,
    output: FormOption = "table",
) -> None:
    """Say why a request cost what it did, or was refused; or with --refused, what was turned away and why."""
    operator = operator_of(ctx, output)
    if refused == (request_id is not None):
        raise wrong("explain", "takes a request id, or else --refused")
    if (since is not None or shadow) and not refused:
        raise wrong("--since and --shadow", "go with --refused")
    if request_id is None:
        at = moment(since, now(), "--since", ahead=False) if since else None
        groups = operator.admin.watched(at) if shadow else operator.admin.refusals(at)
        operator.out.rows(groups, GROUPS, "nothing was refused")
        return
    found = operator.admin.explain(request_id)
    if output != "table":
        operator.out.record(found, ())
        return
    for title, text in lines(found):
        for line in _wrapped(title, text):
            operator.out.line(line)


def _wrapped(title: str, text: str) -> list[str]:
    import textwrap

    first, rest = f"{title:{TITLE_CELLS}} ", " " * (TITLE_CELLS + 1)
    wrapped = textwrap.wrap(
        plain(text), CELLS, initial_indent=first, subsequent_indent=rest, replace_whitespace=False
    )
    return wrapped or [first.rstrip()]


def lines(found: Explanation) -> Iterator[tuple[str, str]]:
    """What is said of a request: a title and a text each."""
    answered = f", answered {found.status_code}" if found.status_code else ""
    yield "request", found.request_id
    yield "when", f"{when(found.timestamp)} UTC, {found.state}{answered}"
    yield "asked", f"{found.endpoint}{' (stream)' if found.stream else ''} {found.model or ''}".rstrip()
    yield "by", _caller(found)
    yield "why", found.why
    if found.instead:
        yield "instead", f"of {found.instead.asked}, for which budget {found.instead.budget} had no room"
    if found.refusal:
        yield "refusal", f"{found.refusal.code}: {found.refusal.message}"
    if found.hold:
        yield "hold", _hold(found.hold)
    for ceiling in found.ceilings:
        yield "under", _ceiling(ceiling)
    if found.charge:
        yield from _charge(found.charge)
    for made in found.corrections:
        said = f": {made.reason}" if made.reason else ""
        yield "corrected", f"{dollars(made.amount_usd)} by {made.source}, {when(made.made_at)} UTC{said}"
    if found.corrections:
        yield "in all", dollars(found.net_usd)
    if found.price:
        since = f"since {when(found.price.effective_at)} UTC" if found.price.effective_at else "always"
        yield "price", f"{found.price.model_key}, from {found.price.source}, {since}"
    if found.duration_ms is not None:
        first = f"first byte after {lasting(found.first_byte_ms)}, " if found.first_byte_ms else ""
        yield "timing", f"{first}{lasting(found.duration_ms)} in all"
    if found.provider_request_id:
        yield "there", f"{found.provider or 'its provider'} calls it {found.provider_request_id}"
    if found.advice:
        yield "to do", found.advice


def _caller(found: Explanation) -> str:
    if not found.api_key_id:
        return "a caller with no key of ours"
    return f"key {found.key_name or found.api_key_id}" + (f", user {found.user_id}" if found.user_id else "")


def _hold(hold: HoldExplained) -> str:
    amount = dollars(hold.amount_usd)
    if hold.input_tokens_max is None or hold.output_tokens_max is None:
        return amount
    rates = dollars(hold.input_usd_per_million), dollars(hold.output_usd_per_million)
    bounds = f"{hold.input_tokens_max} in x {rates[0]}/M + {hold.output_tokens_max} out x {rates[1]}/M"
    if not hold.adds_up:
        return (
            f"{amount}, at a dearer tier for up to {hold.input_tokens_max} in, {hold.output_tokens_max} out"
        )
    return f"{amount} = {bounds}, the most it could cost"


def _ceiling(ceiling: CeilingExplained) -> str:
    spent = f"{dollars(ceiling.posted_usd)} spent + {dollars(ceiling.held_usd)} held"
    limit = f" of {dollars(ceiling.limit_usd)}" if ceiling.limit_usd else ", no limit"
    watched = "" if ceiling.enforced else ", only watched"
    over = "" if float(ceiling.overage_usd) == 0 else f", {dollars(ceiling.overage_usd)} over"
    room = ""
    if ceiling.room_before_usd is not None:
        before, after = dollars(ceiling.room_before_usd), dollars(ceiling.room_after_usd)
        room = f"room for {before} when it came, {after} with its hold; "
    return f"{ceiling.name} ({ceiling.holder}): {room}{spent}{limit} now{over}{watched}"


def _charge(charge: ChargeExplained) -> Iterator[tuple[str, str]]:
    for line in charge.lines:
        yield (
            "used",
            f"{line.units} {line.name} x {dollars(line.usd_per_million)}/M = {dollars(line.amount_usd)}",
        )
    if float(charge.rounding_usd):
        yield "rounding", dollars(charge.rounding_usd)
    over = f", {dollars(charge.overage_usd)} of it beyond the hold" if float(charge.overage_usd) else ""
    yield "cost", dollars(charge.cost_usd) + over
