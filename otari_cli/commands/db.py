"""`otari db`: the database, without a daemon; `otarid db` does the work, and its end is ours."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

CONFIG = typer.Option("--config", "-c", metavar="PATH", help="The configuration file.")
URL = typer.Option("--database-url", envvar="DATABASE_URL", help="sqlite:///... or postgresql://...")
STATE = typer.Option("--state-dir", metavar="PATH", help="Where the database is by default.")

Config = Annotated[str | None, CONFIG]
Url = Annotated[str | None, URL]
State = Annotated[str | None, STATE]

app = typer.Typer(help="The database, without a daemon.", rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def database() -> None:
    """The database, without a daemon."""


@app.command()
def check(config: Config = None, database_url: Url = None, state_dir: State = None) -> None:
    """Prove schema and books; a daemon may be serving. Exit 1 when anything is off."""
    become("check", (), config, database_url, state_dir)


@app.command()
def backup(
    file: Annotated[str, typer.Argument(help="The new file, a SQLite database.")],
    config: Config = None,
    database_url: Url = None,
    state_dir: State = None,
) -> None:
    """Copy everything, as of one moment, to a new file; a daemon may be serving."""
    become("backup", ("--", file), config, database_url, state_dir)


@app.command()
def restore(
    file: Annotated[str, typer.Argument(help="What `backup` has written.")],
    config: Config = None,
    database_url: Url = None,
    state_dir: State = None,
) -> None:
    """Fill an empty or new database from a backup."""
    become("restore", ("--", file), config, database_url, state_dir)


@app.command()
def copy(
    to: Annotated[str, typer.Option("--to", metavar="URL", help="An empty or new database.")],
    config: Config = None,
    database_url: Url = None,
    state_dir: State = None,
) -> None:
    """Copy everything to another database, of either engine, and compare every count and sum."""
    become("copy", ("--to", to), config, database_url, state_dir)


@app.command()
def migrate(
    config: Config = None,
    database_url: Url = None,
    state_dir: State = None,
    revision: Annotated[str, typer.Option(help="A number, or `head` for the newest.")] = "head",
) -> None:
    """Bring the schema up to date, or forward to one revision."""
    become("migrate", (f"--revision={revision}",), config, database_url, state_dir)


def become(
    verb: str, words: tuple[str, ...], config: str | None, database_url: str | None, state_dir: str | None
) -> None:
    """Be `otarid db VERB`. The URL goes by the environment: other users can read a command line."""
    given = {"--config": config, "--state-dir": state_dir}
    options = [f"{name}={value}" for name, value in given.items() if value is not None]
    command = [sys.executable, "-m", "otari_daemon", "db", verb, *options, *words]
    environ = os.environ if database_url is None else {**os.environ, "OTARI_DATABASE_URL": database_url}
    sys.stdout.flush()
    os.execve(sys.executable, command, environ)  # noqa: S606 - becomes `otarid db`
