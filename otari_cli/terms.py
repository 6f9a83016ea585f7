"""A command that takes terms of a filter, and has commands of its own beneath it."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

_NAMED = "otari.command_named"


class WithTerms(TyperGroup):
    """A group whose first word is a command of its own, or else begins what the group itself is told.

    Only then do its arguments count, and options may stand between them.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line one way or the other."""
        named = bool(args) and args[0] in self.commands
        ctx.meta[_NAMED] = named
        ctx.allow_interspersed_args = not named
        return super().parse_args(ctx, args)

    def get_params(self, ctx: Any) -> list[Any]:
        """Its options, and its arguments unless a command was named."""
        params: list[Any] = super().get_params(ctx)
        if not ctx.meta.get(_NAMED):
            return params
        return [param for param in params if param.param_type_name != "argument"]
