"""What settled requests add up to, kept beside their rows and in the same transactions.

A series is what requests have in common; a cell is one series in one hour, day or month. Requests with tags
are counted twice: among all, without their tags, and in grains of their own, with them. So tags that never
repeat make no other report slower.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from operator import add, itemgetter
from typing import Any, NamedTuple

from otari_daemon.domain.grains import HOUR_MS, Grain, start_of
from otari_daemon.domain.records import Facts, Outcome
from otari_daemon.domain.usage import Usage
from otari_daemon.store import sql_usage as sql

GRAINS = tuple(Grain)
TAGGED = 10
"""Added to a grain for its cells of requests with tags."""

SERIES_KNOWN_MAX = 65_536
EXACT = 1
"""The state of cells that equal the rows; any other number says that they are to be built anew."""


class Series(NamedTuple):
    """What the requests of a cell have in common. `tags` is as a hold has them, or empty: of all."""

    key_id: str
    user_id: str
    model: str
    provider: str
    endpoint: str
    status: int
    tags: str


class Counts(NamedTuple):
    """What the requests of a cell add up to: numbers, tokens by class, nano-USD, microseconds."""

    requests: int = 0
    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    audio_input: int = 0
    audio_output: int = 0
    cache_write_1h: int = 0
    image_input: int = 0
    image_output: int = 0
    cost: int = 0
    duration_us: int = 0

    @property
    def tokens(self) -> Usage:
        """The tokens alone: nothing of what is priced by the piece."""
        return Usage(**dict(zip(TOKENS, self[1:-2], strict=True)))


TOKENS = Counts._fields[1:-2]
"""The classes of a `Usage` that are tokens."""

tokens_of: Callable[[Usage], tuple[int, ...]] = itemgetter(*map(Usage._fields.index, TOKENS))
"""How many of each of `TOKENS`."""

Cell = tuple[int, int, int]
"""A cell's grain (with `TAGGED`, if it is), start in epoch milliseconds, and series."""

_Key = tuple[int, Series]


def series_id(series: Series) -> int:
    """The first 63 bits of a digest of everything that makes it that series, as any database keeps it."""
    text = "\0".join(str(value).replace("\0", "\ufffd") for value in series)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


class KnownSeries:
    """Ids of series that are certainly stored."""

    def __init__(self) -> None:
        self._ids: dict[Series, int] = {}

    def find(self, series: Series) -> int | None:
        """The id of a stored series."""
        return self._ids.get(series)

    def stored(self, ids: dict[Series, int]) -> None:
        """Remember series once the transaction that wrote them has committed."""
        if len(self._ids) + len(ids) > SERIES_KNOWN_MAX:
            self._ids.clear()
        self._ids.update(ids)


class Cells:
    """What a batch of settlements adds to the reports; nothing is written before `run`."""

    def __init__(self) -> None:
        self._sums: dict[_Key, list[int]] = {}
        self._new: dict[Series, int] = {}

    @property
    def empty(self) -> bool:
        """Whether nothing was counted."""
        return not self._sums

    def settle(self, facts: Facts, outcome: Outcome, cost: int) -> None:
        """Count one request that has settled."""
        counts = (1, *tokens_of(outcome.usage), cost, outcome.duration_us)
        key, user, created_ms, endpoint, model, provider = facts[:6]
        series = Series(key, user, model, provider, endpoint, outcome.status, facts.tags)
        self.add(created_ms // HOUR_MS, series, counts)

    def add(self, hour: int, series: Series, counts: tuple[int, ...]) -> None:
        """Count requests of one series in one hour, numbered from 1970."""
        if series.tags:
            self._add((hour, series), counts)
            series = series._replace(tags="")
        self._add((hour, series), counts)

    def _add(self, key: _Key, counts: tuple[int, ...]) -> None:
        sums = self._sums.get(key)
        if sums is None:
            self._sums[key] = list(counts)
        else:
            for place, count in enumerate(counts):
                sums[place] += count

    def run(self, con: Any, known: KnownSeries, grains: tuple[Grain, ...] = GRAINS) -> None:
        """Add everything to the cells of these grains, in the caller's transaction."""
        if self._sums:
            totals = self._totals(known, grains)
            # in one order, so that nodes which share the tables do not wait for each other in a circle
            con.executemany(sql.SERIES_ADD, sorted((id, *series) for series, id in self._new.items()))
            con.executemany(sql.CELL_ADD, sorted((*cell, *sums) for cell, sums in totals.items()))

    def committed(self, known: KnownSeries) -> None:
        """Remember what is now known to be stored."""
        if self._new:
            known.stored(self._new)

    def totals(self) -> dict[Cell, list[int]]:
        """Every cell as `run` would write it to an empty table."""
        return self._totals(KnownSeries(), GRAINS)

    def _totals(self, known: KnownSeries, grains: tuple[Grain, ...]) -> dict[Cell, list[int]]:
        found: dict[Cell, list[int]] = {}
        for (hour, series), sums in self._sums.items():
            id = known.find(series) or self._id(series)
            at_ms, family = hour * HOUR_MS, TAGGED if series.tags else 0
            for grain in grains:
                cell = (grain + family, start_of(grain, at_ms), id)
                others = found.get(cell)
                found[cell] = sums if others is None else list(map(add, others, sums))
        return found

    def _id(self, series: Series) -> int:
        id = self._new.get(series)
        if id is None:
            id = self._new[series] = series_id(series)
        return id


def of_corrections(con: Any, made: Iterable[tuple[bytes, int]]) -> Cells:
    """What corrections, each of a request and in nano-USD, add to the cells of their requests."""
    cells = Cells()
    for rid, amount in made:
        for hour, *series in con.execute(sql.SERIES_OF, (rid,)):
            cells.add(hour, Series(*series), Counts(cost=amount))
    return cells


def between(con: Any, since_ms: int, until_ms: int) -> Iterator[tuple[int, Series, tuple[int, ...]]]:
    """What requests made in a span add up to since they settled: by hour, numbered from 1970, and series.

    Their corrections come by themselves, as counts that have nothing but a cost.
    """
    settled = con.execute(sql.ROWS_AS_CELLS, (since_ms, until_ms))
    corrected = con.execute(sql.CORRECTIONS_AS_CELLS, (since_ms, until_ms))
    for hour, *rest in chain(settled, corrected):
        yield hour, Series(*rest[:7]), tuple(rest[7:])


def mark_stale(con: Any) -> None:
    """Say, in the caller's transaction, that the cells do not have all of it."""
    con.execute(sql.STATE_STALE)


def state(con: Any) -> int:
    """`EXACT`, or another number for every time the cells were left behind."""
    return int(con.execute(sql.STATE).fetchone()[0])
