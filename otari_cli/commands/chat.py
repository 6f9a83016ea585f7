"""`otari chat`: ask a model through the gateway, and see what it cost."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from otari_cli.context import Operator, operator_of
from otari_cli.exits import CliError, Exit
from otari_cli.options import wrong
from otari_cli.text import count, dollars, lasting, plain_lines

if TYPE_CHECKING:
    from otari_cli.talk import Talker
    from otari_daemon.protocol.messages import Status

app = typer.Typer(rich_markup_mode=None)
OFFLINE_MODEL = "mock:echo"
TURNS_MAX = 200
"""A conversation forgets what is further back."""

Messages = list[dict[str, str]]


@app.command()
def chat(
    ctx: typer.Context,
    message: Annotated[
        list[str] | None, typer.Argument(help="What to say; otherwise lines are read.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Whom to ask: provider:model.")] = None,
    key: Annotated[str | None, typer.Option(help="The virtual key; $OTARI_KEY otherwise.")] = None,
) -> None:
    """Ask a model and show its answer as it comes; its cost is told on standard error."""
    from otari_cli.talk import Talker

    operator = operator_of(ctx)
    secret = key or os.environ.get("OTARI_KEY")
    if not secret:
        raise CliError(
            "a virtual key is needed",
            hint="export OTARI_KEY=$(otari keys create me), or say --key",
            exit_code=Exit.USAGE,
        )
    status = operator.admin.status()
    talker, asked = Talker(status.listen, secret), model or _model(status)
    said: Messages = []
    for line in [" ".join(message)] if message else _lines(operator):
        said = [*said, {"role": "user", "content": line}][-TURNS_MAX:]
        said.append({"role": "assistant", "content": _turn(operator, talker, asked, said)})


def _turn(operator: Operator, talker: Talker, model: str, said: Messages) -> str:
    """One question and its answer; what came of the answer before it broke stays on the screen."""
    answer = talker.ask(model, said)
    heard: list[str] = []
    try:
        for piece in answer.pieces:
            heard.append(piece)
            operator.out.piece(plain_lines(piece))
    finally:
        if heard:
            operator.out.piece("\n")
    _bill(operator, answer.request_id)
    return "".join(heard)


def _bill(operator: Operator, request_id: str | None) -> None:
    """Say what the request cost, as it stands on the books."""
    from otari_daemon.protocol.messages import UsageQuery

    rows = operator.admin.usage_rows(UsageQuery(request_id=request_id, limit=1)) if request_id else []
    if not rows:
        operator.out.say("cost unknown: the request is not on the books yet")
        return
    row = rows[0]
    parts = (
        dollars(row.cost_usd, "no price"),
        f"{count(row.prompt_tokens)} in / {count(row.completion_tokens)} out",
        f"first {lasting(row.first_byte_ms)}" if row.first_byte_ms is not None else "",
        lasting(row.duration_ms),
        row.model,
        row.request_id,
    )
    operator.out.say("  ".join(part for part in parts if part))


def _lines(operator: Operator) -> Iterator[str]:
    """Lines of standard input, asked for when somebody is there; blank ones are passed over."""
    prompting = sys.stdin.isatty()
    while True:
        if prompting:
            sys.stderr.write("> ")
            sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            break
        if line.strip():
            yield line.rstrip("\n")
    if prompting:
        operator.out.say("")


def _model(status: Status) -> str:
    """The mock when there is nothing else; otherwise the caller must choose."""
    if status.mock and all(provider.mock for provider in status.providers):
        return OFFLINE_MODEL
    raise wrong("--model", "is needed; see `otari models`")
