"""Options and columns of limits: on requests and tokens per minute, and on requests at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from otari_cli.exits import CliError, Exit
from otari_cli.options import wrong
from otari_cli.table import Column
from otari_cli.text import count
from otari_cli.writes import option

if TYPE_CHECKING:
    from otari_daemon.protocol.messages import LimitUse

DEFAULT = "default"
"""What to write for leaving a limit to the configuration."""

DIGITS_MAX = 18

_WHAT = {
    "rpm": "Requests within any 60 seconds",
    "tpm": "Tokens within any 60 seconds",
    "max_parallel": "Requests in flight at once",
}
GIVEN = tuple(
    option(name, Annotated[int | None, typer.Option(min=1, help=f"{what}.")], None)
    for name, what in _WHAT.items()
)
"""Options of a command that makes a holder."""

CHANGED = tuple(
    option(name, Annotated[str | None, typer.Option(metavar="N", help=f"{what}, or `{DEFAULT}`.")], None)
    for name, what in _WHAT.items()
)
"""Options of a command that changes one; read with `changes`."""

LIMITS: tuple[Column[LimitUse], ...] = (
    Column("LIMIT", lambda use: use.limit),
    Column("HOLDER", lambda use: use.holder, shrinks=True),
    Column("USED", lambda use: count(use.used), right=True),
    Column("OF", lambda use: count(use.most), right=True),
    Column("SET", lambda use: use.source, rank=1),
)


def changes(options: dict[str, str | None]) -> dict[str, Any]:
    """Read `CHANGED` as fields of a message: what is not given is left out, None is the configuration's."""
    given = {name: text for name, text in options.items() if text is not None}
    if not given:
        raise CliError("nothing to change: give --rpm, --tpm or --max-parallel", exit_code=Exit.USAGE)
    return {name: None if text == DEFAULT else _number(text, name) for name, text in given.items()}


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX and int(text)):
        raise wrong(f"--{name.replace('_', '-')}", f"must be a whole number from 1 on, or {DEFAULT!r}")
    return int(text)
