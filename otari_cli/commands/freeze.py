"""`otari freeze`: turn a key or a user away for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from otari_cli.commands.budgets import holder_named
from otari_cli.context import now
from otari_cli.options import wrong
from otari_cli.table import Column
from otari_cli.text import when
from otari_cli.until import ForOption, UntilOption, ending
from otari_cli.writes import Write, writes

if TYPE_CHECKING:
    from otari_daemon.protocol.messages import FreezeInfo

app = typer.Typer(rich_markup_mode=None)

COLUMNS: tuple[Column[FreezeInfo], ...] = (
    Column("FROZEN", lambda freeze: freeze.holder, shrinks=True),
    Column("UNTIL (UTC)", lambda freeze: when(freeze.until, "unfrozen")),
    Column("REASON", lambda freeze: freeze.reason, shrinks=True),
    Column("SINCE (UTC)", lambda freeze: when(freeze.created_at), rank=1),
    Column("BY", lambda freeze: f"uid {freeze.uid}", rank=2),
)


@writes(app)
def freeze(
    write: Write,
    holder: Annotated[str | None, typer.Argument(help="Who: key:NAME or user:ID.")] = None,
    until: UntilOption = None,
    lasting: ForOption = None,
) -> None:
    """Turn a key or a user away, from the next request on; callers are told --reason. Alone: list who is.

    Without --for or --until it lasts until `otari unfreeze`.
    """
    from otari_daemon.protocol.messages import FreezeCreate

    if holder is None:
        write.operator.out.rows(write.admin.freezes(), COLUMNS, "nobody is frozen")
        return
    named = holder_named(holder)
    if named.holder_kind == "global" or named.holder_id is None:
        raise wrong("freeze", "takes key:NAME or user:ID")
    new = FreezeCreate(named.holder_kind, named.holder_id, ending(until, lasting, now()))
    made = write.admin.freeze(new, write.change)
    lasts = f"until {when(made.until)} UTC" if made.until else "until it is unfrozen"
    write.tell(f"frozen {made.holder} {lasts}", made)
