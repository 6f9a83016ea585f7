"""`otari reconcile`: our number against the provider's bill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from otari_cli.exits import Exit
from otari_cli.table import Column
from otari_cli.text import counted, dollars
from otari_cli.writes import Write, writes

if TYPE_CHECKING:
    from otari_cli.bill import Total
    from otari_cli.output import Output
    from otari_daemon.protocol.messages import Difference

app = typer.Typer(rich_markup_mode=None)

DIFFERENCES: tuple[Column[Difference], ...] = (
    Column("WHAT", lambda row: row.kind),
    Column("MODEL", lambda row: row.model or "", shrinks=True),
    Column("DAY", lambda row: row.day or ""),
    Column("REQUESTS", lambda row: str(row.requests), rank=2, right=True),
    Column("CHARGED", lambda row: dollars(row.charged_usd), right=True),
    Column("BILLED", lambda row: dollars(row.billed_usd), right=True),
    Column("CHANGE", lambda row: dollars(row.delta_usd), right=True),
    Column("REQUEST", lambda row: row.request_id or "", rank=1, shrinks=True),
)


@writes(app)
def reconcile(
    write: Write,
    file: Annotated[str, typer.Argument(help="The provider's export, as CSV.", metavar="FILE.csv")],
    provider: Annotated[str, typer.Option(help="Whose bill it is, as the configuration calls it.")],
    column: Annotated[
        list[str] | None,
        typer.Option(help="Which of its columns is which: cost=, request=, model= or day=NAME; repeat."),
    ] = None,
    tolerance: Annotated[str, typer.Option(help="Differences up to so many dollars pass.")] = "0",
    apply: Annotated[bool, typer.Option("--apply", help="Correct what differs; else only show it.")] = False,
    allow_debits: Annotated[
        bool, typer.Option("--allow-debits", help="Charge more, too, where the provider bills more.")
    ] = False,
) -> None:
    """Compare a provider's bill with the books: by request where it names them, else by model and day.

    With --apply, requests that were charged too much are credited. Repeating it changes nothing.
    """
    from otari_cli.bill import Total, columns, pieces, read_bill

    look = write.change.dry_run or not apply
    total = Total()
    with read_bill(file, columns(column or [])) as lines:
        if not look:
            write.confirm("correct what settled requests were charged?")
        change = write.change._replace(dry_run=look)
        for asked in pieces(lines, provider, tolerance, allow_debits=allow_debits):
            total.add(write.admin.reconcile(asked, change))
    _show(write.operator.out, total, look=look)
    if not look and total.left:
        raise typer.Exit(Exit.PARTIAL)
    if look and total.differing:
        raise typer.Exit(Exit.CONFLICT)


def _show(out: Output, total: Total, *, look: bool) -> None:
    if out.form != "table":
        out.record(total.report(), ())
        return
    out.rows(total.differences, DIFFERENCES, "bill and books agree")
    out.say(
        f"charged {dollars(total.charged_usd)}, billed {dollars(total.billed_usd)}: "
        f"{counted(total.matched, 'request')} matched, {counted(total.differing, 'difference')}"
    )
    if not look:
        out.say(f"{counted(total.made, 'correction')} made")
    if total.debits_refused:
        out.say(
            f"{counted(total.debits_refused, 'request')} would cost more: charge them with --allow-debits"
        )
