"""Tables that fit: columns are left out, then shortened, until a row is as wide as the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

from otari_cli.text import clip, plain, width

R = TypeVar("R")
GAP = 2
SHORTEST = 8
"""A column is not shortened below this many cells."""

_COLORS = {"red": "31", "green": "32", "yellow": "33", "dim": "2"}


class Column(NamedTuple, Generic[R]):
    """A column: its title, what it shows of a row, and how it gives way.

    `rank` 0 is always there; the others join in order of rank, each if there is still room for it.
    `shrinks` lets it be shortened.
    """

    title: str
    show: Callable[[R], str]
    rank: int = 0
    right: bool = False
    shrinks: bool = False
    color: Callable[[R], str | None] | None = None


def draw(columns: Sequence[Column[R]], rows: Sequence[R], limit: int | None, *, color: bool) -> list[str]:
    """Lay rows out under their titles in lines of at most `limit` cells; None is as wide as it takes.

    Columns of rank 0 that do not shrink may need more: an id is worth a wrapped line, half an id is not.
    """
    chosen = [(column, [plain(column.show(row)) for row in rows]) for column in columns]
    sized = [(column, cells, max(map(width, [column.title, *cells]))) for column, cells in chosen]
    fitting = _fit(sized, limit)
    lines = [_line([_pad(clip(column.title, cells), column, cells) for column, _, cells in fitting])]
    for at, row in enumerate(rows):
        parts = (
            paint(_pad(clip(shown[at], cells), column, cells), _color(column, row) if color else None)
            for column, shown, cells in fitting
        )
        lines.append(_line(parts))
    return lines


def paint(text: str, name: str | None) -> str:
    """Wrap text in a color, if it has one."""
    return f"\x1b[{_COLORS[name]}m{text}\x1b[0m" if name else text


Sized = list[tuple[Column[R], list[str], int]]


def _fit(sized: Sized[R], limit: int | None) -> Sized[R]:
    if limit is None:
        return sized
    kept = [item for item in sized if not item[0].rank]
    for item in sorted((item for item in sized if item[0].rank), key=lambda each: each[0].rank):
        if _total([*kept, item], shortened=True) <= limit:
            kept.append(item)
    sized = [item for item in sized if item in kept]
    while _total(sized) > limit:
        at = max(range(len(sized)), key=lambda i: sized[i][2] if sized[i][0].shrinks else 0)
        column, shown, cells = sized[at]
        if not column.shrinks or cells <= SHORTEST:
            break
        sized = [*sized[:at], (column, shown, cells - 1), *sized[at + 1 :]]
    return sized


def _total(sized: Sized[R], *, shortened: bool = False) -> int:
    cells = (min(size, SHORTEST) if shortened and column.shrinks else size for column, _, size in sized)
    return sum(cells) + GAP * (len(sized) - 1)


def _pad(text: str, column: Column[R], cells: int) -> str:
    room = " " * (cells - width(text))
    return room + text if column.right else text + room


def _color(column: Column[R], row: R) -> str | None:
    return column.color(row) if column.color else None


def _line(parts: Iterable[str]) -> str:
    return (" " * GAP).join(parts).rstrip()
