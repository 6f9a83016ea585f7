"""`otari budgets`: limits, and who is under them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal, cast, get_args

import typer

from otari_cli.context import now, operator_of
from otari_cli.exits import CliError, Exit
from otari_cli.options import FormOption, moment, wrong
from otari_cli.table import Column
from otari_cli.text import dollars, when
from otari_cli.until import ForOption, UntilOption, ending
from otari_cli.views import USES
from otari_cli.writes import Write, writes

if TYPE_CHECKING:
    from otari_daemon.protocol.messages import (
        BudgetAssign,
        BudgetCreate,
        BudgetInfo,
        HolderKind,
    )

app = typer.Typer(
    help="Budgets: limits that cannot be overspent.", rich_markup_mode=None, no_args_is_help=True
)
Budget = Annotated[str, typer.Argument(help="The budget's id or name.")]
Holder = Annotated[str, typer.Argument(help="Who: key:NAME, user:ID or global.")]
ModeOption = Annotated[
    Literal["enforce", "shadow"] | None, typer.Option(help="Refuse what is over it, or only watch.")
]

ExceedOption = Annotated[
    str | None,
    typer.Option(
        help="Without room: block, throttle (wait for what others hold) or fallback:MODEL (try that one).",
        metavar="WAY",
    ),
]

COLUMNS: tuple[Column[BudgetInfo], ...] = (
    Column("ID", lambda budget: budget.budget_id),
    Column("NAME", lambda budget: budget.name or "", shrinks=True),
    Column("LIMIT", lambda budget: dollars(budget.limit_usd, "unlimited"), right=True),
    Column("PER", lambda budget: _period(budget)),
    Column("MODE", lambda budget: budget.mode, rank=2),
    Column("SCOPE", lambda budget: budget.scope, rank=3),
    Column("RAISED", lambda budget: _raises(budget), rank=2),
    Column("ON EXCEED", lambda budget: budget.on_exceed, rank=3, shrinks=True),
    Column("CREATED (UTC)", lambda budget: when(budget.created_at), rank=4),
    Column("HOLDERS", lambda budget: _holders(budget), rank=1, shrinks=True),
)


@writes(app)
def create(
    write: Write,
    name: Annotated[str, typer.Argument(help="A name to know the budget by.")],
    limit: Annotated[
        str, typer.Argument(help="5/day, 20/month, 10/30d, 50/week@Europe/Oslo, or 100 for good.")
    ],
    mode: ModeOption = None,
    pooled: Annotated[
        bool, typer.Option("--pooled", help="One amount for all its holders together.")
    ] = False,
    on_exceed: ExceedOption = None,
) -> None:
    """Create a budget. Nobody is under it until it is assigned."""
    scope: Literal["each", "pooled"] = "pooled" if pooled else "each"
    way = on_exceed or "block"
    new = replace(_limit(limit), name=name, mode=mode or "enforce", scope=scope, on_exceed=way)
    made = write.admin.create_budget(new, write.change)
    write.tell(f"created {made.name} ({made.budget_id})", made)


@app.command("list")
def list_(ctx: typer.Context, output: FormOption = "table") -> None:
    """List the budgets."""
    operator = operator_of(ctx, output)
    empty = "no budgets; make one with `otari budgets create NAME 5/day`"
    operator.out.rows(operator.admin.budgets(), COLUMNS, empty)


@app.command()
def show(ctx: typer.Context, budget: Budget, output: FormOption = "table") -> None:
    """Show one budget and how each of its holders stands."""
    operator = operator_of(ctx, output)
    found = operator.admin.budget(budget)
    operator.out.record(found, COLUMNS)
    if output == "table" and found.holders:
        operator.out.line("")
        operator.out.rows(found.holders, USES, "")


@writes(app, "set")
def set_(
    write: Write,
    budget: Budget,
    limit: Annotated[
        str | None, typer.Option(help="A new amount, or amount and period: 8, 8/day, unlimited.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    mode: ModeOption = None,
    on_exceed: ExceedOption = None,
) -> None:
    """Change a budget for all its holders. A bare amount keeps the period."""
    from otari_daemon.protocol.messages import UNSET, BudgetUpdate

    update = BudgetUpdate(name=name or UNSET, mode=mode or UNSET, on_exceed=on_exceed or UNSET)
    if limit is not None:
        given = _limit(limit)
        update = replace(update, max_budget=given.max_budget)
        if "/" in limit:
            update = replace(update, per=given.per, time_zone=given.time_zone)
    if update == BudgetUpdate():
        raise wrong("set", "needs something to change: --limit, --name, --mode or --on-exceed")
    made = write.admin.update_budget(budget, update, write.change)
    write.tell(f"changed {made.name or made.budget_id}", made)


@writes(app, "raise")
def raise_(
    write: Write,
    budget: Annotated[
        str, typer.Argument(help="The budget's id or name, or whose it is: key:NAME, user:ID.")
    ],
    amount: Annotated[str, typer.Argument(help="How much more, in dollars: +5.")],
    until: UntilOption = None,
    lasting: ForOption = None,
) -> None:
    """Give a budget more room for a while; it ends by itself."""
    from otari_daemon.protocol.messages import BudgetRaise

    ends = ending(until, lasting, now())
    if ends is None:
        raise wrong("raise", "needs an end: --until 18:00 or --for 2h")
    made = write.admin.raise_budget(budget, BudgetRaise(amount.removeprefix("+"), ends), write.change)
    write.tell(f"raised {made.name or made.budget_id} until {when(ends)} UTC", made)


@writes(app)
def unraise(write: Write, budget: Budget) -> None:
    """Take back every raise of a budget before it ends."""
    made = write.admin.end_raises(budget, write.change)
    write.tell(f"{made.name or made.budget_id} is not raised now", made)


@writes(app)
def assign(write: Write, budget: Budget, holder: Holder) -> None:
    """Put a key, a user or everybody under a budget."""
    made = write.admin.assign_budget(budget, holder_named(holder), write.change)
    write.tell(f"{holder} is under {made.name or made.budget_id}", made)


@writes(app)
def unassign(write: Write, budget: Budget, holder: Holder) -> None:
    """Take a key, a user or everybody out from under a budget."""
    write.confirm(f"lift the limit {budget} from {holder}?")
    made = write.admin.unassign_budget(budget, holder_named(holder), write.change)
    write.tell(f"{holder} is not under {made.name or made.budget_id} now", made)


@writes(app)
def delete(write: Write, budget: Budget) -> None:
    """Delete a budget that nobody is under."""
    write.confirm(f"delete the budget {budget}?")
    write.admin.delete_budget(budget, write.change)
    write.tell(f"deleted {budget}")


@writes(app)
def acknowledge(write: Write, budget: Budget) -> None:
    """Let a budget admit again after a provider billed more than was held."""
    made = write.admin.acknowledge_budget(budget, write.change)
    write.tell(f"{made.name or made.budget_id} admits again", made)


@app.command()
def simulate(
    ctx: typer.Context,
    limit: Annotated[str, typer.Argument(help="5/day, 20/month, 10/30d, 50/week@Europe/Oslo, or 100.")],
    holder: Annotated[
        str, typer.Argument(help="Who: key:NAME, user:ID or global; a * fits any, like key:ci-*.")
    ],
    mode: ModeOption = None,
    pooled: Annotated[bool, typer.Option("--pooled", help="One amount for all of them together.")] = False,
    since: Annotated[str | None, typer.Option(help="From when on: 12h, 2026-11-01.")] = "30d",
    until: Annotated[str | None, typer.Option(help="Up to when, itself left out.")] = None,
    output: FormOption = "table",
) -> None:
    """Try a budget on the requests that were made: what would it have refused? Nothing changes."""
    from otari_cli.simulation import show
    from otari_daemon.protocol.messages import BudgetSimulate

    operator, at, budget = operator_of(ctx, output), now(), _limit(limit)
    asked = BudgetSimulate(
        holder,
        None if budget.max_budget is None else str(budget.max_budget),
        budget.per,
        budget.time_zone,
        mode or "enforce",
        "pooled" if pooled else "each",
        moment(since, at, "--since", ahead=False) if since else None,
        moment(until, at, "--until", ahead=False) if until else None,
    )
    show(operator.out, operator.admin.simulate_budget(asked))


def _limit(text: str) -> BudgetCreate:
    from otari_daemon.protocol.codec import FieldError
    from otari_daemon.protocol.shorthand import parse_budget

    try:
        return parse_budget(text, "the limit")
    except FieldError as error:
        raise CliError(str(error), exit_code=Exit.USAGE) from error


def holder_named(text: str) -> BudgetAssign:
    """Read `key:NAME`, `user:ID` or `global`. Raises `CliError`."""
    from otari_daemon.protocol.messages import BudgetAssign, HolderKind

    kind, colon, id = text.partition(":")
    if kind not in get_args(HolderKind) or (kind == "global") == bool(colon) or bool(id) != bool(colon):
        raise wrong("a holder", "is key:NAME, user:ID or global")
    return BudgetAssign(cast("HolderKind", kind), id or None)


def _period(budget: BudgetInfo) -> str:
    elsewhere = budget.time_zone not in (None, "UTC")
    return f"{budget.per} in {budget.time_zone}" if elsewhere else budget.per


def _raises(budget: BudgetInfo) -> str:
    return ", ".join(f"+{dollars(each.amount_usd)} until {when(each.until)}" for each in budget.raises)


def _holders(budget: BudgetInfo) -> str:
    return ", ".join(use.holder for use in budget.holders)
