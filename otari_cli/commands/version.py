"""`otari version`: what is installed here."""

from __future__ import annotations

from dataclasses import dataclass

import typer

from otari_cli.context import operator_of
from otari_cli.options import FormOption
from otari_cli.table import Column
from otari_daemon.protocol.paths import PROTOCOL_VERSION
from otari_daemon.protocol.version import VERSION

app = typer.Typer(rich_markup_mode=None)


@dataclass(frozen=True, slots=True)
class Version:
    """The installed distribution and the admin protocol it speaks."""

    version: str
    protocol: str


COLUMNS = (
    Column[Version]("OTARI", lambda installed: installed.version),
    Column[Version]("PROTOCOL", lambda installed: installed.protocol),
)


@app.command()
def version(ctx: typer.Context, output: FormOption = "table") -> None:
    """Show the version of otari and of its admin protocol."""
    operator_of(ctx, output).out.record(Version(VERSION, PROTOCOL_VERSION), COLUMNS)
