"""`otari users`: whom keys bill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from otari_cli.context import operator_of
from otari_cli.limits import CHANGED, GIVEN, LIMITS, changes
from otari_cli.options import FormOption
from otari_cli.table import Column
from otari_cli.text import dollars, when
from otari_cli.views import USES
from otari_cli.writes import Write, writes

if TYPE_CHECKING:
    from otari_daemon.protocol.messages import UserInfo

app = typer.Typer(help="Users: whom keys bill.", rich_markup_mode=None, no_args_is_help=True)
User = Annotated[str, typer.Argument(help="The user's id.")]

COLUMNS: tuple[Column[UserInfo], ...] = (
    Column("USER", lambda user: user.user_id),
    Column("ALIAS", lambda user: user.alias or "", rank=2, shrinks=True),
    Column("STATE", lambda user: _state(user), color=lambda user: "red" if user.blocked else None),
    Column("SPENT", lambda user: dollars(user.spend_usd), right=True),
    Column("HELD", lambda user: dollars(user.held_usd), rank=1, right=True),
    Column("CREATED (UTC)", lambda user: when(user.created_at), rank=3),
)


@writes(app, more=GIVEN)
def create(
    write: Write,
    user: User,
    alias: Annotated[str | None, typer.Option(help="A name for people.")] = None,
    budget: Annotated[
        str | None, typer.Option(help="What they may spend: 20/month, or a budget's name.")
    ] = None,
    **limits: Any,
) -> None:
    """Create a user."""
    from otari_daemon.protocol.messages import UserCreate

    new = UserCreate(user_id=user, alias=alias, budget=budget, **limits)
    made = write.admin.create_user(new, write.change)
    write.tell(f"created {made.user_id}", made)


@app.command("list")
def list_(ctx: typer.Context, output: FormOption = "table") -> None:
    """List the users."""
    operator = operator_of(ctx, output)
    operator.out.rows(operator.admin.users(), COLUMNS, "no users")


@app.command()
def show(ctx: typer.Context, user: User, output: FormOption = "table") -> None:
    """Show one user, and the budgets and limits they are under."""
    operator = operator_of(ctx, output)
    found = operator.admin.user(user)
    operator.out.record(found, COLUMNS)
    if output == "table" and found.budgets:
        operator.out.line("")
        operator.out.rows(found.budgets, USES, "")
    if output == "table" and found.limits:
        operator.out.line("")
        operator.out.rows(found.limits, LIMITS, "")


@writes(app, more=CHANGED)
def update(write: Write, user: User, **limits: Any) -> None:
    """Change a user's limits, from the next request on; what is in flight goes on."""
    from otari_daemon.protocol.messages import UserUpdate

    found = write.admin.update_user(user, UserUpdate(**changes(limits)), write.change)
    write.tell(f"updated {found.user_id}", found)


@writes(app)
def block(write: Write, user: User) -> None:
    """Refuse everything a user's keys ask, from the next request on."""
    write.confirm(f"block {user}?")
    _set_blocked(write, user, blocked=True)


@writes(app)
def unblock(write: Write, user: User) -> None:
    """Let a user's keys work again."""
    _set_blocked(write, user, blocked=False)


@writes(app)
def delete(write: Write, user: User) -> None:
    """Delete a user and revoke their keys; what they used stays on the books."""
    write.confirm(f"delete {user} and revoke their keys?")
    write.admin.delete_user(user, write.change)
    write.tell(f"deleted {user}")


def _set_blocked(write: Write, user: str, *, blocked: bool) -> None:
    from otari_daemon.protocol.messages import UserUpdate

    made = write.admin.update_user(user, UserUpdate(blocked=blocked), write.change)
    write.tell(f"{'blocked' if blocked else 'unblocked'} {made.user_id}", made)


def _state(user: UserInfo) -> str:
    return "blocked" if user.blocked else "active"
