"""`otari mock`: the mock provider as a server of its own."""

from __future__ import annotations

import os
import sys

import typer

app = typer.Typer(rich_markup_mode=None)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)
def mock(ctx: typer.Context) -> None:
    """Run a provider that needs no network; takes the options of `python -m otari_daemon.mock`."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "otari_daemon.mock", *ctx.args])  # noqa: S606 - becomes the mock
