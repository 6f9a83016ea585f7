"""Adding usage up from its cells; rows are read only for the part of an hour at either end of a span."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import add, neg
from typing import Any, NamedTuple

from otari_daemon.domain.errors import InvalidField
from otari_daemon.domain.grains import HOUR_MS, Grain, Span, cover, start_of
from otari_daemon.store import sql_usage as sql
from otari_daemon.store.cells import EXACT, TAGGED, Counts, Series, between, state
from otari_daemon.store.database import Session

SERIES_MAX = 200_000
GROUPS_MAX = 100_000

Group = tuple[str, ...]
Place = Callable[[Series], Group | None]
"""Which group a series belongs to; None for none."""


class Question(NamedTuple):
    """What to add up: a span in epoch milliseconds, into which groups, in buckets of `every` if it is set.

    `tagged` says that groups look at tags; without it no tag is read.
    """

    since_ms: int
    until_ms: int
    place: Place
    every: Grain | None = None
    tagged: bool = False


class Sums(NamedTuple):
    """What requests add up to; `errors` are those that were not answered well."""

    counts: Counts
    errors: int


Answer = dict[tuple[int, Group], Sums]
"""Sums by bucket and group; without buckets the first is 0."""

_Found = dict[tuple[int, Group, bool], list[int]]


def gather(session: Session, question: Question) -> Answer:
    """Add up every request of a span; groups without any are left out. Raises InvalidField for too many."""
    found: _Found = {}
    coarsest = Grain.MONTH if question.every is None else question.every
    families = (0, TAGGED) if question.tagged else (0,)
    spans = list(cover(question.since_ms, question.until_ms, coarsest))
    for family in families if any(span.grain is not None for span in spans) else ():
        places = _places(session, question.place, family)
        for span in spans:
            if span.grain is not None:
                _add_cells(session, question, places, span, family, found)
    for span in spans:
        if span.grain is None:
            _add_rows(session, question, span, found)
    return _answer(found)


def exact(session: Session) -> bool:
    """Whether the cells equal the rows, or wait to be built anew."""
    return state(session.con) == EXACT


class _Put(NamedTuple):
    """Where a series is counted: its group, whether it is an error, and the group it leaves.

    Series of the same `slot` are counted alike.
    """

    group: Group | None
    error: bool
    leaves: Group | None
    slot: int


def _places(session: Session, place: Place, family: int) -> dict[int, _Put]:
    rows = session.con.execute(sql.SERIES, (family, SERIES_MAX + 1)).fetchall()
    if len(rows) > SERIES_MAX:
        raise InvalidField(f"there are more than {SERIES_MAX} sets of tags: ask without tags", param="by")
    slots: dict[tuple[Group | None, bool, Group | None], int] = {}
    places = {}
    for id, *values in rows:
        where = _where(place, Series(*values))
        places[id] = _Put(*where, slots.setdefault(where, len(slots)))
    return places


def _where(place: Place, series: Series) -> tuple[Group | None, bool, Group | None]:
    """A tagged series is already counted among all, without its tags: there it is taken away again."""
    leaves = place(series._replace(tags="")) if series.tags else None
    return place(series), not 0 < series.status < 400, leaves


def _add_cells(
    session: Session, question: Question, places: dict[int, _Put], span: Span, family: int, found: _Found
) -> None:
    """Add the cells of a span; only where its grain is that of the buckets is there more than one of them."""
    every = question.every
    how = "each" if every is span.grain else "whole"
    bucket = 0 if every is None else start_of(every, span.start_ms)
    parts: dict[tuple[int, int], list[tuple[int, ...]]] = {}
    for row in session.con.execute(sql.CELLS[how], (int(span.grain or 0) + family, *span[1:])):
        slot = row[1] if how == "whole" else places[row[1]].slot
        parts.setdefault((row[0] or bucket, slot), []).append(row)
    slots = {put.slot: put for put in places.values()} if how == "each" else places
    for (at_ms, slot), rows in parts.items():
        put = slots.get(slot)
        if put is not None:
            _put_down(found, at_ms, put, list(map(sum, list(zip(*rows, strict=True))[2:])))


def _put_down(found: _Found, bucket_ms: int, put: _Put, counts: list[int]) -> None:
    if put.group is not None:
        _count(found, (bucket_ms, put.group, put.error), counts)
    if put.leaves is not None:
        _count(found, (bucket_ms, put.leaves, put.error), list(map(neg, counts)))


def _add_rows(session: Session, question: Question, span: Span, found: _Found) -> None:
    every = question.every
    for hour, series, counts in between(session.con, span.start_ms, span.end_ms):
        group = question.place(series if question.tagged else series._replace(tags=""))
        if group is not None:
            bucket = 0 if every is None else start_of(every, hour * HOUR_MS)
            _count(found, (bucket, group, not 0 < series.status < 400), counts)


def _count(found: _Found, key: tuple[int, Group, bool], counts: Sequence[int]) -> None:
    sums = found.get(key)
    if sums is not None:
        sums[:] = map(add, sums, counts)
        return
    if len(found) >= GROUPS_MAX:
        raise InvalidField(f"there are more than {GROUPS_MAX} groups: ask for a shorter span", param="by")
    found[key] = list(counts)


def _answer(found: _Found) -> Answer:
    answer: Answer = {}
    for bucket, group, counts, errors in _flat(found):
        known = answer.get((bucket, group))
        if known is not None:
            counts, errors = Counts(*map(add, known.counts, counts)), errors + known.errors
        answer[bucket, group] = Sums(counts, errors)
    return {key: sums for key, sums in answer.items() if sums.counts.requests}


def _flat(found: _Found) -> Iterator[tuple[int, Group, Counts, int]]:
    for (bucket, group, error), sums in found.items():
        counts = Counts(*sums)
        yield bucket, group, counts, counts.requests if error else 0


def series_value(series: Series, field: str) -> Any:
    """What a series has for a field by name."""
    return getattr(series, _COLUMNS[field])


_COLUMNS = {
    "key": "key_id",
    "user": "user_id",
    "model": "model",
    "provider": "provider",
    "endpoint": "endpoint",
    "status": "status",
}
