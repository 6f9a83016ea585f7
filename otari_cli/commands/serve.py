"""`otari serve`: the daemon in the foreground."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Literal

import typer

app = typer.Typer(rich_markup_mode=None)


@app.command()
def serve(
    config: Annotated[str | None, typer.Option(metavar="PATH", help="The configuration file.")] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The port to listen on.")] = None,
    state_dir: Annotated[str | None, typer.Option(metavar="PATH", help="Where the database is.")] = None,
    database_url: Annotated[str | None, typer.Option(help="sqlite:///... or postgresql://...")] = None,
    admin_socket: Annotated[str | None, typer.Option(metavar="PATH", help="The admin socket.")] = None,
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"] | None, typer.Option(help="How much to log.")
    ] = None,
) -> None:
    """Run the daemon until it is told to stop."""
    given = {
        "--config": config,
        "--host": host,
        "--port": port,
        "--state-dir": state_dir,
        "--database-url": database_url,
        "--admin-socket": admin_socket,
        "--log-level": log_level,
    }
    options = [word for name, value in given.items() if value is not None for word in (name, str(value))]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "otari_daemon", *options])  # noqa: S606 - becomes the daemon
