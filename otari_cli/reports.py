"""Reports as tables: a column for each word they are by, sums, change, trend, and a row of totals."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from otari_cli.table import Column
from otari_cli.text import count, dollars, lasting, when

if TYPE_CHECKING:
    from otari_daemon.protocol.messages import Forecast, Report, ReportRow

TOTAL = "TOTAL"
TIMES = ("hour", "day", "month")
_BARS = "▁▂▃▄▅▆▇█"
_BAR_CELLS = 16
_SPARK_CELLS = 31


def columns(report: Report) -> tuple[Column[ReportRow], ...]:
    """The columns of a report; those that matter less join as there is room."""
    return (*_names(report), *_SUMS, *_previous(report), *_shape(report))


def rows(report: Report) -> list[ReportRow]:
    """The groups of a report, buckets of time in order, and where there are several its totals."""
    from dataclasses import replace

    shown = list(report.rows)
    at = next((place for place, word in enumerate(report.by) if word in TIMES), None)
    if at is not None:
        shown.sort(key=lambda row: row.group[at])
    if len(shown) > 1:
        shown.append(replace(report.totals, group=(TOTAL, *[""] * (len(report.by) - 1))))
    return shown


def share(part: int, whole: int) -> str:
    """A part of a whole in percent, nothing where there is none."""
    return f"{100 * part / whole:.0f}%" if part and whole else ""


def change(now: str, before: str | None) -> str:
    """How an amount has changed, in percent of what it was."""
    if before is None:
        return ""
    old, new = Decimal(before), Decimal(now)
    if not old:
        return "new" if new else ""
    return f"{(new - old) / old * 100:+.0f}%"


def spark(amounts: Sequence[str]) -> str:
    """Amounts as bars of one line; where there are more than fit, neighbors are added up."""
    values = [Decimal(amount) for amount in amounts]
    step = -(-len(values) // _SPARK_CELLS) or 1
    sums = [sum(values[at : at + step], Decimal(0)) for at in range(0, len(values), step)]
    most = max(sums, default=Decimal(0))
    return "".join(_bar(value, most) for value in sums)


def cents(amount: str) -> str:
    """An amount for reading: whole cents from a dollar on, four decimals below, all of them below that."""
    value = Decimal(amount)
    if value >= 1:
        return f"{value:.2f}"
    return amount if len(amount) <= 6 or value < Decimal("0.0001") else f"{value:.4f}"


def _cost(amount: str | None) -> str:
    return "-" if amount is None else dollars(cents(amount))


def _bar(value: Decimal, most: Decimal) -> str:
    return _BARS[min(int(value / most * 8), 7)] if most and value else " "


_SUMS: tuple[Column[ReportRow], ...] = (
    Column("REQUESTS", lambda row: count(row.requests), right=True),
    Column("ERR%", lambda row: share(row.errors, row.requests), rank=3, right=True),
    Column("IN", lambda row: count(row.prompt_tokens), rank=1, right=True),
    Column("CACHE%", lambda row: share(row.cache_read_tokens, row.prompt_tokens), rank=4, right=True),
    Column("OUT", lambda row: count(row.completion_tokens), rank=2, right=True),
    Column("REASONING", lambda row: count(row.reasoning_tokens), rank=8, right=True),
    Column("MEAN", lambda row: lasting(row.mean_ms), rank=7, right=True),
    Column("COST", lambda row: _cost(row.cost_usd), right=True),
)
FORECASTS: tuple[Column[Forecast], ...] = (
    Column("BUDGET", lambda each: each.name, shrinks=True),
    Column("HOLDER", lambda each: each.holder, shrinks=True),
    Column("SPENT", lambda each: _cost(each.spent_usd), right=True),
    Column("LIMIT", lambda each: dollars(each.limit_usd, "unlimited"), right=True),
    Column("BY THE END", lambda each: _cost(each.projected_usd), right=True),
    Column("RUNS OUT (UTC)", lambda each: when(each.runs_out_at, "-")),
    Column("UNTIL (UTC)", lambda each: when(each.period_end, "-"), rank=1),
)


def _names(report: Report) -> tuple[Column[ReportRow], ...]:
    return tuple(_name(place, word) for place, word in enumerate(report.by))


def _name(place: int, word: str) -> Column[ReportRow]:
    def show(row: ReportRow) -> str:
        return row.group[place] or ("" if row.group[0] == TOTAL else "(none)")

    return Column(word.upper(), show, shrinks=True)


def _previous(report: Report) -> tuple[Column[ReportRow], ...]:
    if report.totals.previous_cost_usd is None:
        return ()
    return (
        Column("BEFORE", lambda row: _cost(row.previous_cost_usd), rank=6, right=True),
        Column("CHANGE", lambda row: change(row.cost_usd, row.previous_cost_usd), right=True),
    )


def _shape(report: Report) -> tuple[Column[ReportRow], ...]:
    """A line of bars for each group's trend, or for a report by time alone a bar for each bucket."""
    if any(row.trend_usd for row in report.rows):
        return (Column("TREND", lambda row: spark(row.trend_usd), rank=5),)
    if len(report.by) == 1 and report.by[0] in TIMES:
        most = max((Decimal(row.cost_usd) for row in report.rows), default=Decimal(0))
        return (Column("", lambda row: _length(row, most), rank=5),)
    return ()


def _length(row: ReportRow, most: Decimal) -> str:
    return "█" * int(Decimal(row.cost_usd) / most * _BAR_CELLS) if most and row.group[0] != TOTAL else ""
