"""What every command has at hand: the daemon to ask, and somewhere to put the answer."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from typing import TYPE_CHECKING

import typer

from otari_cli.exits import CliError, Exit
from otari_cli.output import Form, Output

if TYPE_CHECKING:
    from otari_cli.client import AdminClient


class Operator:
    """The person at the terminal. The client is made when the first question is asked."""

    def __init__(self, admin_socket: str | None) -> None:
        self._flag = admin_socket
        self._admin: AdminClient | None = None
        self.out = Output()

    @property
    def admin(self) -> AdminClient:
        """The daemon."""
        if self._admin is None:
            from otari_cli.client import AdminClient
            from otari_cli.places import admin_socket

            self._admin = AdminClient(admin_socket(self._flag, os.environ, os.getuid(), _read))
        return self._admin

    def confirm(self, question: str, *, sure: bool) -> None:
        """Ask before something that cannot be taken back, unless `sure`; raise `CliError` without a yes."""
        if sure:
            return
        if not sys.stdin.isatty():
            raise CliError(
                f"{question} there is nobody to ask", hint="say --yes to go ahead", exit_code=Exit.USAGE
            )
        sys.stderr.write(f"{question} [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise CliError("nothing was changed")


def operator_of(ctx: typer.Context, form: Form = "table") -> Operator:
    """The operator of this invocation, to be answered in `form`."""
    operator: Operator = ctx.find_root().obj
    operator.out = Output(form)
    return operator


def now() -> datetime:
    """The time, in UTC."""
    from datetime import UTC

    return datetime.now(UTC)


def _read(path: str) -> str | None:
    from otari_cli.places import CONFIG_CHARS_MAX

    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - pathlib costs a start
            return file.read(CONFIG_CHARS_MAX)
    except OSError:
        return None
