"""The root of the `otari` command: its nouns, and the one place where an end becomes an exit code."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from otari_cli.context import Operator
from otari_cli.exits import CliError, Exit, ReaderGone
from otari_cli.text import plain

NOUNS = {
    name: f"otari_cli.commands.{name}"
    for name in (
        "serve",
        "status",
        "keys",
        "users",
        "budgets",
        "pricing",
        "usage",
        "freeze",
        "unfreeze",
        "tail",
        "explain",
        "reconcile",
        "holds",
        "ledger",
        "models",
        "chat",
        "db",
        "mock",
        "migrate",
        "version",
    )
} | {"init-db": "otari_cli.commands.init_db"}


SINGULAR = {"budget": "budgets", "key": "keys", "user": "users"}
"""What is understood, and not listed."""


class Nouns(TyperGroup):
    """A group that imports a command when it is called for, so that a start costs what it uses."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        self.commands: dict[str, Any] = dict.fromkeys(NOUNS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - typer's signature
        """Import the noun's module and take its Typer app."""
        cmd_name = SINGULAR.get(cmd_name, cmd_name)
        if cmd_name in NOUNS and self.commands[cmd_name] is None:
            app = importlib.import_module(NOUNS[cmd_name]).app
            self.commands[cmd_name] = typer.main.get_command(app)
        return self.commands.get(cmd_name)


app = typer.Typer(
    cls=Nouns,
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from otari_daemon.protocol.version import VERSION

        print(f"otari {VERSION}")  # noqa: T201
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    admin_socket: Annotated[
        str | None, typer.Option(help="The daemon's admin socket.", metavar="PATH")
    ] = None,
    version: Annotated[  # noqa: ARG001 - its callback has answered
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """An LLM gateway for people who live in a terminal."""
    ctx.obj = Operator(admin_socket)


def run(argv: list[str]) -> int:
    """Run a command line and return its exit code; whatever ends it is said in one line."""
    if "_OTARI_COMPLETE" in os.environ:
        _know_shells()
    command = typer.main.get_command(app)
    try:
        code = command.main(args=argv, prog_name="otari", standalone_mode=False)
    except CliError as error:
        _complain(error.message, error.hint)
        return error.exit_code
    except typer.TyperException as error:
        _complain(error.format_message(), _usage_hint(error))
        return error.exit_code
    except typer.Abort:
        return Exit.FAILED
    except ReaderGone:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    return code if isinstance(code, int) else Exit.OK


def _know_shells() -> None:
    """Let Typer complete for shells, which it learns with the install options that `app` does without."""
    from typer.completion import get_completion_inspect_parameters

    get_completion_inspect_parameters()


def main() -> None:
    """Be the `otari` program."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a terminal or a file
    sys.exit(run(sys.argv[1:]))


def _complain(message: str, hint: str | None) -> None:
    sys.stderr.write(f"otari: {plain(message)}\n" + (f"hint: {plain(hint)}\n" if hint else ""))


def _usage_hint(error: typer.TyperException) -> str | None:
    context = getattr(error, "ctx", None)
    return f"see `{context.command_path} --help`" if context else None
