"""`otari budgets`: limits, and who is under them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal, cast, get_args

import typer

from otari_cli.client import Change
from otari_cli.context import operator_of
from otari_cli.options import DryRun, FormOption, Reason, Yes, wrong
from otari_cli.table import Column
from otari_cli.text import dollars, when
from otari_daemon.protocol.codec import FieldError
from otari_daemon.protocol.messages import (
    UNSET,
    BudgetAssign,
    BudgetCreate,
    BudgetInfo,
    BudgetUpdate,
    BudgetUse,
    HolderKind,
)
from otari_daemon.protocol.shorthand import parse_budget

app = typer.Typer(help="Budgets: limits that cannot be overspent.", rich_markup_mode=None, no_args_is_help=True)
Budget = Annotated[str, typer.Argument(help="The budget's id or name.")]
Holder = Annotated[str, typer.Argument(help="Who: key:NAME, user:ID or global.")]
ModeOption = Annotated[
    Literal["enforce", "shadow"] | None, typer.Option(help="Refuse what is over it, or only watch.")
]

COLUMNS = (
    Column[BudgetInfo]("ID", lambda budget: budget.budget_id),
    Column[BudgetInfo]("NAME", lambda budget: budget.name or "", shrinks=True),
    Column[BudgetInfo]("LIMIT", lambda budget: dollars(budget.limit_usd, "unlimited"), right=True),
    Column[BudgetInfo]("PER", lambda budget: _period(budget)),
    Column[BudgetInfo]("MODE", lambda budget: budget.mode, rank=2),
    Column[BudgetInfo]("SCOPE", lambda budget: budget.scope, rank=3),
    Column[BudgetInfo]("HOLDERS", lambda budget: _holders(budget), rank=1, shrinks=True),
)
USES = (
    Column[BudgetUse]("BUDGET", lambda use: use.name, shrinks=True),
    Column[BudgetUse]("HOLDER", lambda use: use.holder, shrinks=True),
    Column[BudgetUse]("LIMIT", lambda use: dollars(use.limit_usd, "unlimited"), right=True),
    Column[BudgetUse]("SPENT", lambda use: dollars(use.posted_usd), right=True),
    Column[BudgetUse]("HELD", lambda use: dollars(use.held_usd), rank=1, right=True),
    Column[BudgetUse]("OVERAGE", lambda use: dollars(use.overage_usd), rank=3, right=True),
    Column[BudgetUse]("MODE", lambda use: use.mode, rank=4),
    Column[BudgetUse]("UNTIL (UTC)", lambda use: when(use.period_end), rank=2),
)
FIELDS = (
    ("id", lambda budget: budget.budget_id),
    ("name", lambda budget: budget.name or ""),
    ("limit", lambda budget: dollars(budget.limit_usd, "unlimited")),
    ("per", lambda budget: _period(budget)),
    ("mode", lambda budget: budget.mode),
    ("scope", lambda budget: budget.scope),
    ("created", lambda budget: when(budget.created_at)),
)


@app.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A name to know the budget by.")],
    limit: Annotated[str, typer.Argument(help="5/day, 20/month, 10/30d, 50/week@Europe/Oslo, or 100 for good.")],
    mode: ModeOption = None,
    pooled: Annotated[bool, typer.Option("--pooled", help="One amount for all its holders together.")] = False,
    output: FormOption = "table",
    dry_run: DryRun = False,
    yes: Yes = False,  # noqa: ARG001 - every change takes it; this one never asks
    reason: Reason = None,
) -> None:
    """Create a budget. Nobody is under it until it is assigned."""
    operator = operator_of(ctx, output)
    scope: Literal["each", "pooled"] = "pooled" if pooled else "each"
    new = replace(_limit(limit), name=name, mode=mode or "enforce", scope=scope)
    made = operator.admin.create_budget(new, Change(dry_run, reason))
    operator.out.changed(made, f"created {made.name} ({made.budget_id})", dry_run=dry_run)


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
    operator.out.record(found, FIELDS)
    if output == "table" and found.holders:
        operator.out.line("")
        operator.out.rows(found.holders, USES, "")


@app.command("set")
def set_(
    ctx: typer.Context,
    budget: Budget,
    limit: Annotated[
        str | None, typer.Option(help="A new amount, or amount and period: 8, 8/day, unlimited.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    mode: ModeOption = None,
    output: FormOption = "table",
    dry_run: DryRun = False,
    yes: Yes = False,  # noqa: ARG001 - every change takes it; this one never asks
    reason: Reason = None,
) -> None:
    """Change a budget for all its holders. A bare amount keeps the period."""
    operator = operator_of(ctx, output)
    update = BudgetUpdate(name=name or UNSET, mode=mode or UNSET)
    if limit is not None:
        given = _limit(limit)
        update = replace(update, max_budget=given.max_budget)
        if "/" in limit:
            update = replace(update, per=given.per, time_zone=given.time_zone)
    if update == BudgetUpdate():
        raise wrong("set", "needs something to change: --limit, --name or --mode")
    made = operator.admin.update_budget(budget, update, Change(dry_run, reason))
    operator.out.changed(made, f"changed {made.name or made.budget_id}", dry_run=dry_run)


@app.command()
def assign(
    ctx: typer.Context,
    budget: Budget,
    holder: Holder,
    output: FormOption = "table",
    dry_run: DryRun = False,
    yes: Yes = False,  # noqa: ARG001 - every change takes it; this one never asks
    reason: Reason = None,
) -> None:
    """Put a key, a user or everybody under a budget."""
    operator = operator_of(ctx, output)
    made = operator.admin.assign_budget(budget, _holder(holder), Change(dry_run, reason))
    operator.out.changed(made, f"{holder} is under {made.name or made.budget_id}", dry_run=dry_run)


@app.command()
def unassign(
    ctx: typer.Context,
    budget: Budget,
    holder: Holder,
    output: FormOption = "table",
    dry_run: DryRun = False,
    yes: Yes = False,
    reason: Reason = None,
) -> None:
    """Take a key, a user or everybody out from under a budget."""
    operator = operator_of(ctx, output)
    operator.confirm(f"lift the limit {budget} from {holder}?", sure=yes or dry_run)
    made = operator.admin.unassign_budget(budget, _holder(holder), Change(dry_run, reason))
    operator.out.changed(made, f"{holder} is not under {made.name or made.budget_id} now", dry_run=dry_run)


@app.command()
def delete(
    ctx: typer.Context, budget: Budget, dry_run: DryRun = False, yes: Yes = False, reason: Reason = None
) -> None:
    """Delete a budget that nobody is under."""
    operator = operator_of(ctx)
    operator.confirm(f"delete the budget {budget}?", sure=yes or dry_run)
    operator.admin.delete_budget(budget, Change(dry_run, reason))
    operator.out.done(f"deleted {budget}", dry_run=dry_run)


@app.command()
def acknowledge(
    ctx: typer.Context,
    budget: Budget,
    output: FormOption = "table",
    dry_run: DryRun = False,
    yes: Yes = False,  # noqa: ARG001 - every change takes it; this one never asks
    reason: Reason = None,
) -> None:
    """Let a budget admit again after a provider billed more than was held."""
    operator = operator_of(ctx, output)
    made = operator.admin.acknowledge_budget(budget, Change(dry_run, reason))
    operator.out.changed(made, f"{made.name or made.budget_id} admits again", dry_run=dry_run)


def _limit(text: str) -> BudgetCreate:
    try:
        return parse_budget(text, "the limit")
    except FieldError as error:
        raise wrong("", str(error)) from error


def _holder(text: str) -> BudgetAssign:
    kind, colon, id = text.partition(":")
    if kind not in get_args(HolderKind) or (kind == "global") == bool(colon) or bool(id) != bool(colon):
        raise wrong("a holder", "is key:NAME, user:ID or global")
    return BudgetAssign(cast("HolderKind", kind), id or None)


def _period(budget: BudgetInfo) -> str:
    return f"{budget.per} in {budget.time_zone}" if budget.time_zone else budget.per


def _holders(budget: BudgetInfo) -> str:
    return ", ".join(use.holder for use in budget.holders)
