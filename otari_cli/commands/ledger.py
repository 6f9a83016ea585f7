"""`otari ledger`: the books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from otari_cli.context import operator_of
from otari_cli.exits import Exit
from otari_cli.options import FormOption
from otari_cli.table import Column
from otari_cli.text import counted, lasting

if TYPE_CHECKING:
    from otari_daemon.protocol.messages import Finding, VerifyReport

app = typer.Typer(help="The books.", rich_markup_mode=None, no_args_is_help=True)

FINDINGS: tuple[Column[Finding], ...] = (
    Column("ROW", lambda finding: finding.row),
    Column("INVARIANT", lambda finding: finding.invariant, rank=1),
    Column("FOUND", lambda finding: finding.message, shrinks=True),
)


@app.callback()
def ledger() -> None:
    """The books."""


@app.command()
def verify(
    ctx: typer.Context,
    output: FormOption = "table",
    as_json: Annotated[bool, typer.Option("--json", help="The same as -o json.")] = False,
) -> None:
    """Prove the books from the database alone; exit 1 and name the rows when anything is off."""
    output = "json" if as_json else output
    operator = operator_of(ctx, output)
    report = operator.admin.verify()
    if output == "table":
        operator.out.rows(report.findings, FINDINGS, _summary(report))
        if report.findings:
            operator.out.say(_summary(report))
    else:
        operator.out.record(report, ())
    if not report.ok:
        raise typer.Exit(Exit.FAILED)


def _summary(report: VerifyReport) -> str:
    verdict = "ok" if report.ok else counted(len(report.findings), "finding")
    looked_at = f"{counted(report.holds, 'hold')} and {counted(report.balances, 'balance')}"
    corrected = f", {counted(report.corrections, 'correction')}" if report.corrections else ""
    return f"{verdict}: {looked_at}{corrected} in {lasting(report.checked_ms)}"
