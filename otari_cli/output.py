"""Where words go: data to standard output in the form that was asked for, talk to standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import IO, Any, Literal, TypeVar

from otari_cli.exits import ReaderGone
from otari_cli.table import Column, draw, paint
from otari_cli.text import plain

Form = Literal["table", "json", "jsonl", "csv", "yaml"]
R = TypeVar("R")


class Output:
    """Standard output and standard error of one command.

    Text is made plain on its way out; JSON and YAML escape what is not ASCII, so they need no more.
    """

    def __init__(self, form: Form = "table") -> None:
        self.form = form
        self.color = _colorful(sys.stdout)

    def rows(self, rows: Sequence[R], columns: Sequence[Column[R]], empty: str) -> None:
        """Show a list; an empty table is said, not drawn."""
        if self.form != "table":
            self._rendered([_dump(row) for row in rows])
        elif rows:
            for line in draw(columns, rows, _cells(), color=self.color):
                self.line(line, raw=True)
        else:
            self.say(empty)

    def record(self, value: R, columns: Sequence[Column[R]]) -> None:
        """Show one thing: in a table, a title and a value on each line."""
        if self.form != "table":
            self._rendered(_dump(value) if self.form in ("json", "yaml") else [_dump(value)])
            return
        longest = max(len(column.title) for column in columns)
        for column in columns:
            self.line(f"{column.title.lower():{longest}}  {plain(column.show(value))}".rstrip())

    def item(self, value: object, line: str, color: str | None = None) -> None:
        """Show the next thing of a stream: a line, or one JSON object on a line."""
        if self.form == "jsonl":
            self.line(_jsonl([_dump(value)]), raw=True)
        else:
            self.line(paint(plain(line), color if self.color else None), raw=True)

    def line(self, text: str, *, raw: bool = False) -> None:
        """Write a line to standard output; `raw` text is already fit for a terminal."""
        self.piece((text if raw else plain(text)) + "\n")

    def piece(self, text: str) -> None:
        """Write part of a line at once; raise `ReaderGone` when nobody reads any more."""
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            raise ReaderGone from None

    def _rendered(self, value: Any) -> None:
        text = _RENDER[self.form](value)
        if text:
            self.line(text, raw=True)

    def say(self, text: str) -> None:
        """Write a line for people to standard error."""
        sys.stderr.write(plain(text) + "\n")


def _colorful(stream: IO[str]) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _cells() -> int | None:
    """How wide a table may be: `COLUMNS`, else the terminal; a pipe has no width."""
    given = os.environ.get("COLUMNS", "")
    if given.isdigit() and int(given) > 0:
        return int(given)
    return os.get_terminal_size(sys.stdout.fileno()).columns or 80 if sys.stdout.isatty() else None


def _dump(value: object) -> Any:
    from otari_daemon.protocol.codec import dump

    return dump(value)


def _json(value: Any) -> str:
    import json

    return json.dumps(value, indent=2)


def _jsonl(rows: list[Any]) -> str:
    import json

    return "\n".join(json.dumps(row, separators=(",", ":")) for row in rows)


def _yaml(value: Any) -> str:
    import yaml

    return str(yaml.safe_dump(value, sort_keys=False)).rstrip("\n")


def _csv(rows: list[dict[str, Any]]) -> str:
    """A header and the rows; what is not a scalar becomes JSON."""
    import csv
    import io

    text = io.StringIO()
    if rows:
        names = list(dict.fromkeys(name for row in rows for name in row))
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_csv_cell(row.get(name)) for name in names] for row in rows)
    return text.getvalue().rstrip("\n")


def _csv_cell(value: Any) -> str | int | float:
    """A cell that no spreadsheet takes for a formula."""
    import json

    if value is None:
        return ""
    if isinstance(value, bool | dict | list):
        return json.dumps(value)
    if not isinstance(value, str):
        return value  # type: ignore[no-any-return]  # a number
    text = plain(value)
    return f"'{text}" if text[:1] in "=+-@" and not _number(text) else text


def _number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdigit()


_RENDER: dict[str, Callable[[Any], str]] = {"json": _json, "jsonl": _jsonl, "yaml": _yaml, "csv": _csv}
