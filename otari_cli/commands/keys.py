"""`otari keys`: virtual keys."""

from __future__ import annotations

from typing import Annotated

import typer

from otari_cli.client import Change
from otari_cli.commands.budgets import USES
from otari_cli.context import now, operator_of
from otari_cli.exits import CliError
from otari_cli.options import DryRun, FormOption, Reason, Yes, moment
from otari_cli.output import Output
from otari_cli.table import Column
from otari_cli.text import dollars, when
from otari_daemon.protocol.messages import BudgetUse, KeyCreate, KeyCreated, KeyInfo

app = typer.Typer(help="Virtual keys: what a caller presents.", rich_markup_mode=None, no_args_is_help=True)
Key = Annotated[str, typer.Argument(help="The key's id or name.")]

_COLORS = {"revoked": "red", "expired": "yellow"}
COLUMNS = (
    Column[KeyInfo]("ID", lambda key: key.id),
    Column[KeyInfo]("NAME", lambda key: key.key_name or "", shrinks=True),
    Column[KeyInfo]("KEY", lambda key: f"{key.key_prefix}…", rank=3),
    Column[KeyInfo]("USER", lambda key: key.user_id or "", rank=2, shrinks=True),
    Column[KeyInfo]("STATUS", lambda key: key.status, color=lambda key: _COLORS.get(key.status)),
    Column[KeyInfo]("SPENT", lambda key: _spent(key.budgets), rank=1, right=True),
    Column[KeyInfo]("LAST USED (UTC)", lambda key: when(key.last_used_at), rank=4),
    Column[KeyInfo]("EXPIRES (UTC)", lambda key: when(key.expires_at), rank=5),
    Column[KeyInfo]("MODELS", lambda key: _models(key), rank=6, shrinks=True),
)
FIELDS = (
    ("id", lambda key: key.id),
    ("name", lambda key: key.key_name or ""),
    ("key", lambda key: f"{key.key_prefix}…"),
    ("user", lambda key: key.user_id or ""),
    ("status", lambda key: key.status),
    ("models", lambda key: _models(key)),
    ("created", lambda key: when(key.created_at)),
    ("last used", lambda key: when(key.last_used_at)),
    ("expires", lambda key: when(key.expires_at)),
)


@app.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A label to know the key by.")],
    budget: Annotated[
        str | None, typer.Option(help="What it may spend: 5/day, 20/month, 100, or a budget's name.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="The user it bills.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Allow only this model; repeat for more.")] = None,
    expires: Annotated[str | None, typer.Option(help="When it stops working: 30d, 2027-01-31.")] = None,
    output: FormOption = "table",
    dry_run: DryRun = False,
    yes: Yes = False,  # noqa: ARG001 - every change takes it; this one never asks
    reason: Reason = None,
) -> None:
    """Create a key and print its secret, this once.

    The secret alone goes to standard output: OTARI_KEY=$(otari keys create ci --budget 5/day)
    """
    operator = operator_of(ctx, output)
    new = KeyCreate(
        key_name=name,
        user_id=user,
        expires_at=moment(expires, now(), "--expires", ahead=True) if expires else None,
        allowed_models=tuple(model) if model else None,
        budget=budget,
    )
    _show_secret(operator.out, operator.admin.create_key(new, Change(dry_run, reason)), "created")


@app.command("list")
def list_(ctx: typer.Context, output: FormOption = "table") -> None:
    """List the keys."""
    operator = operator_of(ctx, output)
    operator.out.rows(operator.admin.keys(), COLUMNS, "no keys; make one with `otari keys create NAME`")


@app.command()
def show(ctx: typer.Context, key: Key, output: FormOption = "table") -> None:
    """Show one key and the budgets it draws on."""
    operator = operator_of(ctx, output)
    found = operator.admin.key(key)
    operator.out.record(found, FIELDS)
    if output == "table" and found.budgets:
        operator.out.line("")
        operator.out.rows(found.budgets, USES, "")


@app.command()
def revoke(
    ctx: typer.Context,
    key: Key,
    output: FormOption = "table",
    dry_run: DryRun = False,
    yes: Yes = False,
    reason: Reason = None,
) -> None:
    """Make a key unusable at once."""
    operator = operator_of(ctx, output)
    operator.confirm(f"revoke the key {key}?", sure=yes or dry_run)
    found = operator.admin.revoke_key(key, Change(dry_run, reason))
    operator.out.changed(found, f"revoked {found.key_name or found.id}", dry_run=dry_run)


@app.command()
def rotate(
    ctx: typer.Context,
    key: Key,
    output: FormOption = "table",
    dry_run: DryRun = False,
    yes: Yes = False,
    reason: Reason = None,
) -> None:
    """Give a key a new secret and print it, this once; the old one is dead at once."""
    operator = operator_of(ctx, output)
    operator.confirm(f"replace the secret of {key}? the old one stops working.", sure=yes or dry_run)
    _show_secret(operator.out, operator.admin.rotate_key(key, Change(dry_run, reason)), "rotated")


def _show_secret(out: Output, created: KeyCreated, done: str) -> None:
    out.changed(created, f"{done} {created.key_name or created.id} ({created.id})", dry_run=created.key is None)
    if out.form != "table" or created.key is None:
        return
    out.say("store the secret now: it is not shown again")
    out.line(created.key)


def _spent(uses: tuple[BudgetUse, ...]) -> str:
    """The tightest of a key's budgets is the first it has; the rest are in `show`."""
    if not uses:
        return ""
    return f"{dollars(uses[0].posted_usd)} of {dollars(uses[0].limit_usd, 'unlimited')}"


def _models(key: KeyInfo) -> str:
    return "any" if key.allowed_models is None else ", ".join(key.allowed_models) or "none"
