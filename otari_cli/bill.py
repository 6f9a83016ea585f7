"""A provider's export, read line by line: whose columns are which, and amounts as exact integers."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation, localcontext
from typing import NamedTuple

from otari_cli.exits import CliError, Exit
from otari_daemon.protocol.messages import BilledLine, Difference, Reconcile, ReconcileReport

LINES_PER_PIECE = 2_000
GROUPS_MAX = 5_000
"""Models times days of a bill that names no requests: five models for three years."""

SHOWN_MAX = 1_000
CELL_CHARS_MAX = 1_000
DIGITS_MAX = 40
ATTO_PER_NANO = 10**9

_COST = ("cost_usd", "amount_usd", "amount_value", "cost", "amount", "list_amount_usd", "cost (usd)")
_REQUEST = ("request_id", "x_request_id", "request id", "requestid", "id")
_MODEL = ("model", "model_version", "snapshot_id", "line_item", "model_name")
_DAY = ("usage_date_utc", "date", "day", "start_time_iso", "timestamp", "created_at", "start_time", "time")


class Columns(NamedTuple):
    """Columns by name; None is whatever the export usually calls it."""

    cost: str | None = None
    request: str | None = None
    model: str | None = None
    day: str | None = None


class Line(NamedTuple):
    """One line of a bill; `atto` is its amount in 1e-18 dollars, exactly as written."""

    atto: int
    request_id: str | None
    model: str | None
    day: str | None


class _Places(NamedTuple):
    cost: int
    request: int | None
    model: int | None
    day: int | None


@contextmanager
def read_bill(path: str, wanted: Columns) -> Iterator[Iterator[Line]]:
    """Open an export and find its columns; the lines are read as they are asked for. Raises CliError."""
    try:
        file = open(path, encoding="utf-8-sig", newline="")  # noqa: PTH123, SIM115 - closed below
    except OSError as error:
        raise CliError(f"{path} cannot be read: {error.strerror}", exit_code=Exit.NOT_FOUND) from error
    with file:
        rows = _rows(csv.reader(file, strict=True))
        _, titles = next(rows, (0, []))
        yield _lines(rows, _find(titles, wanted))


def columns(named: Iterable[str]) -> Columns:
    """Read `cost=amount`, `day=date` and their like. Raises CliError."""
    given = dict(each.partition("=")[::2] for each in named)
    if not given.keys() <= set(Columns._fields) or not all(given.values()):
        raise CliError(
            f"--column is one of {', '.join(f'{name}=NAME' for name in Columns._fields)}",
            exit_code=Exit.USAGE,
        )
    return Columns(**given)


def pieces(
    lines: Iterable[Line], provider: str, tolerance: str, *, allow_debits: bool
) -> Iterator[Reconcile]:
    """Questions for the daemon: requests a piece at a time, and what names none as one amount a day."""
    requests: dict[str, Line] = {}
    days: dict[tuple[str, str], int] = {}

    def asked(some: Iterable[BilledLine]) -> Reconcile:
        return Reconcile(provider, tuple(some), tolerance, allow_debits)

    for line in lines:
        if line.request_id is None:
            key = (line.model or "", line.day or "")
            days[key] = days.get(key, 0) + line.atto
            if len(days) > GROUPS_MAX:
                raise CliError(f"the bill has over {GROUPS_MAX} models and days: reconcile it in parts")
            continue
        known = requests.get(line.request_id)
        requests[line.request_id] = line if known is None else known._replace(atto=known.atto + line.atto)
        if len(requests) == LINES_PER_PIECE:
            yield asked(_request(each) for each in requests.values())
            requests = {}
    if requests:
        yield asked(_request(each) for each in requests.values())
    if days:
        yield asked(BilledLine(_nano(atto), None, model, day) for (model, day), atto in days.items())


@dataclass(slots=True)
class Total:
    """What all pieces of a bill come to."""

    matched: int = 0
    within: int = 0
    differing: int = 0
    charged: Decimal = Decimal(0)
    billed: Decimal = Decimal(0)
    made: int = 0
    debits_refused: int = 0
    differences: list[Difference] = field(default_factory=list)

    def add(self, report: ReconcileReport) -> None:
        """Take one piece's answer; the largest differences are kept."""
        self.matched += report.matched
        self.within += report.within_tolerance
        self.differing += report.differing
        self.charged += Decimal(report.charged_usd)
        self.billed += Decimal(report.billed_usd)
        self.made += report.made
        self.debits_refused += report.debits_refused
        self.differences += report.differences
        self.differences.sort(key=lambda each: -abs(Decimal(each.delta_usd)))
        del self.differences[SHOWN_MAX:]

    @property
    def left(self) -> int:
        """Differences that were not corrected: of no single request, or dearer without leave."""
        return self.differing - self.made

    @property
    def charged_usd(self) -> str:
        """What the books have."""
        return f"{self.charged:f}"

    @property
    def billed_usd(self) -> str:
        """What the bill has."""
        return f"{self.billed:f}"

    def report(self) -> ReconcileReport:
        """As one answer."""
        return ReconcileReport(
            self.matched,
            self.within,
            self.differing,
            self.charged_usd,
            self.billed_usd,
            tuple(self.differences),
            self.made,
            self.debits_refused,
        )


def _find(titles: list[str], wanted: Columns) -> _Places:
    known = {title.strip().lower(): place for place, title in enumerate(titles)}

    def place(asked: str | None, usual: tuple[str, ...]) -> int | None:
        if asked is not None and asked.strip().lower() not in known:
            raise CliError(f"the file has no column {asked!r}", exit_code=Exit.USAGE)
        names = usual if asked is None else (asked.strip().lower(),)
        return next((known[name] for name in names if name in known), None)

    cost = place(wanted.cost, _COST)
    if cost is None:
        raise CliError(
            "the file has no column with a cost", hint="name it with --column cost=NAME", exit_code=Exit.USAGE
        )
    found = _Places(
        cost,
        place(wanted.request, _REQUEST),
        place(wanted.model, _MODEL),
        place(wanted.day, _DAY),
    )
    if found.request is None and (found.model is None or found.day is None):
        raise CliError(
            "the file names neither requests, nor models and days",
            hint="name them with --column request=NAME, or model=NAME and day=NAME",
            exit_code=Exit.USAGE,
        )
    return found


def _rows(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    number = 0
    while True:  # to the end of the file
        number += 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except (csv.Error, UnicodeDecodeError) as error:
            raise CliError(f"line {number} is not CSV: {error}") from error
        if row:
            yield number, row


def _lines(rows: Iterator[tuple[int, list[str]]], places: _Places) -> Iterator[Line]:
    for number, row in rows:
        request, model, day = (_cell(row, place) for place in places[1:])
        if day is not None:
            day = _date(day, number)
        if request is None and (model is None or day is None):
            raise CliError(f"line {number} names neither a request, nor a model and a day")
        yield Line(_atto(_cell(row, places.cost) or "0", number), request, model, day)


def _cell(row: list[str], place: int | None) -> str | None:
    if place is None or place >= len(row):
        return None
    return row[place].strip()[:CELL_CHARS_MAX] or None


def _date(text: str, number: int) -> str:
    """The UTC day of a date, a time or epoch seconds."""
    from datetime import UTC, datetime

    try:
        if text.isdigit() and len(text) == len("1750000000"):
            return datetime.fromtimestamp(int(text), UTC).date().isoformat()
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise CliError(f"line {number} has no day: {text[:40]!r}") from error
    return (at if at.tzinfo is None else at.astimezone(UTC)).date().isoformat()


def _atto(text: str, number: int) -> int:
    """Dollars as whole 1e-18 dollars, exactly; what is finer or no amount is an error."""
    with localcontext(prec=DIGITS_MAX * 2):
        try:
            amount = Decimal(text.replace("$", "").replace(",", ""))
            scaled = amount.scaleb(18) if amount.is_finite() and abs(amount.adjusted()) < DIGITS_MAX else None
        except InvalidOperation:
            scaled = None
        if scaled is None or scaled != scaled.to_integral_value():
            raise CliError(f"line {number} has no amount of dollars: {text[:40]!r}")
        return int(scaled)


def _request(line: Line) -> BilledLine:
    return BilledLine(_nano(line.atto), line.request_id, line.model, line.day)


def _nano(atto: int) -> str:
    """Whole nano-dollars, rounded up as a charge is."""
    return str(-(-atto // ATTO_PER_NANO))
