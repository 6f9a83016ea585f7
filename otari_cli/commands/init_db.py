"""`otari init-db`: the database and its tables, made before the first start."""

from __future__ import annotations

import typer

from otari_cli.commands.db import Config, State, Url, become

app = typer.Typer(rich_markup_mode=None)


@app.command()
def initialize(config: Config = None, database_url: Url = None, state_dir: State = None) -> None:
    """Make the database and its tables; one that is there already is brought up to date."""
    become("migrate", (), config, database_url, state_dir)
