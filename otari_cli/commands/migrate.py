"""`otari migrate`: what `otari db migrate` does, under the name it has had elsewhere."""

from __future__ import annotations

import typer

from otari_cli.commands.db import migrate

app = typer.Typer(rich_markup_mode=None)
app.command()(migrate)
