"""Commands that change something: what all of them take, and how they say what they did."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from otari_cli.change import Change
from otari_cli.context import Operator, operator_of
from otari_cli.options import DryRun, FormOption, Reason, Yes
from otari_cli.output import Form

if TYPE_CHECKING:
    from otari_cli.client import AdminClient

Body = Callable[..., None]


class Write(NamedTuple):
    """A change as it was asked for; `sure` means nobody is to be asked."""

    operator: Operator
    change: Change
    sure: bool

    @property
    def admin(self) -> AdminClient:
        """The daemon."""
        return self.operator.admin

    def confirm(self, question: str) -> None:
        """Ask before something that cannot be taken back; raise `CliError` without a yes."""
        self.operator.confirm(question, sure=self.sure or self.change.dry_run)

    def tell(self, done: str, made: object = None) -> None:
        """Say what was done, or would have been; a script that asked for a form gets what was made."""
        self.operator.out.say(f"dry run, nothing changed: {done}" if self.change.dry_run else done)
        if made is not None and self.operator.out.form != "table":
            self.operator.out.record(made, ())


def writes(
    app: typer.Typer,
    name: str | None = None,
    *,
    short_form: bool = False,
    more: tuple[inspect.Parameter, ...] = (),
) -> Callable[[Body], Body]:
    """Register `body(write, ...)` as a command with --output, --dry-run, --yes and --reason beside its own.

    Every option of `body` is passed by keyword. With `short_form` the form is `-o` only, and `--output`
    is the body's own. `more` are options of several commands, which the body takes as `**options`.
    """

    def register(body: Body) -> Body:
        common = (_SHORT, *_COMMON[1:]) if short_form else _COMMON
        taken = list(inspect.signature(body, eval_str=True).parameters.values())[1:]
        own = [each for each in taken if each.kind is not inspect.Parameter.VAR_KEYWORD] + list(more)

        def command(
            ctx: typer.Context, output: Form, dry_run: bool, yes: bool, reason: str | None, **values: Any
        ) -> None:
            body(Write(operator_of(ctx, output), Change(dry_run, reason), yes), **values)

        command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what Typer reads
            [param.replace(kind=inspect.Parameter.KEYWORD_ONLY) for param in (_CONTEXT, *own, *common)]
        )
        app.command(name or body.__name__, help=inspect.getdoc(body))(command)
        return body

    return register


def option(name: str, annotation: Any, default: object) -> inspect.Parameter:
    """An option that a command gets beside those its body names."""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


_CONTEXT = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
_SHORT = option("output", Annotated[Form, typer.Option("-o", help="How to show it.")], "table")
_COMMON = (
    option("output", FormOption, "table"),
    option("dry_run", DryRun, False),
    option("yes", Yes, False),
    option("reason", Reason, None),
)
