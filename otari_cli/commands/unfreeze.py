"""`otari unfreeze`: let a key or a user in again."""

from __future__ import annotations

from typing import Annotated

import typer

from otari_cli.commands.budgets import holder_named
from otari_cli.writes import Write, writes

app = typer.Typer(rich_markup_mode=None)


@writes(app)
def unfreeze(write: Write, holder: Annotated[str, typer.Argument(help="Who: key:NAME or user:ID.")]) -> None:
    """Let a key or a user in again before its freeze ends."""
    write.admin.unfreeze(holder_named(holder), write.change)
    write.tell(f"{holder} is not frozen now")
