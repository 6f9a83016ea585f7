"""`otari keys`: virtual keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from otari_cli.context import now, operator_of
from otari_cli.limits import CHANGED, GIVEN, LIMITS, changes
from otari_cli.options import FormOption, moment
from otari_cli.table import Column
from otari_cli.text import dollars, when
from otari_cli.views import USES
from otari_cli.writes import Write, writes

if TYPE_CHECKING:
    from otari_daemon.protocol.messages import BudgetUse, KeyCreated, KeyInfo

app = typer.Typer(help="Virtual keys: what a caller presents.", rich_markup_mode=None, no_args_is_help=True)
Key = Annotated[str, typer.Argument(help="The key's id or name.")]

_COLORS = {"revoked": "red", "expired": "yellow"}
COLUMNS: tuple[Column[KeyInfo], ...] = (
    Column("ID", lambda key: key.id),
    Column("NAME", lambda key: key.key_name or "", shrinks=True),
    Column("KEY", lambda key: f"{key.key_prefix}…", rank=3),
    Column("USER", lambda key: key.user_id or "", rank=2, shrinks=True),
    Column("STATUS", lambda key: key.status, color=lambda key: _COLORS.get(key.status)),
    Column("SPENT", lambda key: _spent(key.budgets), rank=1, right=True),
    Column("LAST USED (UTC)", lambda key: when(key.last_used_at), rank=4),
    Column("EXPIRES (UTC)", lambda key: when(key.expires_at), rank=5),
    Column("MODELS", lambda key: _models(key), rank=6, shrinks=True),
    Column("CREATED (UTC)", lambda key: when(key.created_at), rank=7),
)


@writes(app, more=GIVEN)
def create(
    write: Write,
    name: Annotated[str, typer.Argument(help="A label to know the key by.")],
    budget: Annotated[
        str | None, typer.Option(help="What it may spend: 5/day, 20/month, 100, or a budget's name.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="The user it bills.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Allow only this model; repeat for more.")] = None,
    expires: Annotated[str | None, typer.Option(help="When it stops working: 30d, 2027-01-31.")] = None,
    **limits: Any,
) -> None:
    """Create a key and print its secret, this once.

    The secret alone goes to standard output: OTARI_KEY=$(otari keys create ci --budget 5/day)
    """
    from otari_daemon.protocol.messages import KeyCreate

    new = KeyCreate(
        key_name=name,
        user_id=user,
        expires_at=moment(expires, now(), "--expires", ahead=True) if expires else None,
        allowed_models=tuple(model) if model else None,
        budget=budget,
        **limits,
    )
    _show_secret(write, write.admin.create_key(new, write.change), "created")


@app.command("list")
def list_(ctx: typer.Context, output: FormOption = "table") -> None:
    """List the keys."""
    operator = operator_of(ctx, output)
    operator.out.rows(operator.admin.keys(), COLUMNS, "no keys; make one with `otari keys create NAME`")


@app.command()
def show(ctx: typer.Context, key: Key, output: FormOption = "table") -> None:
    """Show one key, and the budgets and limits it is under."""
    operator = operator_of(ctx, output)
    found = operator.admin.key(key)
    operator.out.record(found, COLUMNS)
    if output == "table" and found.budgets:
        operator.out.line("")
        operator.out.rows(found.budgets, USES, "")
    if output == "table" and found.limits:
        operator.out.line("")
        operator.out.rows(found.limits, LIMITS, "")


@writes(app, more=CHANGED)
def update(write: Write, key: Key, **limits: Any) -> None:
    """Change a key's limits, from the next request on; what is in flight goes on."""
    from otari_daemon.protocol.messages import KeyUpdate

    found = write.admin.update_key(key, KeyUpdate(**changes(limits)), write.change)
    write.tell(f"updated {found.key_name or found.id}", found)


@writes(app)
def revoke(write: Write, key: Key) -> None:
    """Make a key unusable at once."""
    write.confirm(f"revoke the key {key}?")
    found = write.admin.revoke_key(key, write.change)
    write.tell(f"revoked {found.key_name or found.id}", found)


@writes(app)
def delete(write: Write, key: Key) -> None:
    """Forget a key: it stops working and is listed no more. Its usage stays."""
    write.confirm(f"delete the key {key}?")
    write.admin.delete_key(key, write.change)
    write.tell(f"deleted {key}")


@writes(app)
def rotate(write: Write, key: Key) -> None:
    """Give a key a new secret and print it, this once; the old one is dead at once."""
    write.confirm(f"replace the secret of {key}? the old one stops working.")
    _show_secret(write, write.admin.rotate_key(key, write.change), "rotated")


def _show_secret(write: Write, created: KeyCreated, done: str) -> None:
    write.tell(f"{done} {created.key_name or created.id} ({created.id})", created)
    if created.key is not None and write.operator.out.form == "table":
        write.operator.out.say("store the secret now: it is not shown again")
        write.operator.out.line(created.key)


def _spent(uses: tuple[BudgetUse, ...]) -> str:
    """What was spent under the budget that is nearest its limit."""
    if not uses:
        return ""
    use = max(uses, key=_fullness)
    return f"{dollars(use.posted_usd)} of {dollars(use.limit_usd, 'unlimited')}"


def _fullness(use: BudgetUse) -> float:
    """A share for sorting by, not for reckoning with."""
    limit = float(use.limit_usd or "inf")
    return (float(use.posted_usd) + float(use.held_usd)) / limit if limit else 1.0


def _models(key: KeyInfo) -> str:
    return "any" if key.allowed_models is None else ", ".join(key.allowed_models) or "none"
