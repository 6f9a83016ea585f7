"""Usage cells made anew from the rows, and compared with them."""

from __future__ import annotations

from collections.abc import Iterator
from operator import add
from typing import Any, NamedTuple

from otari_daemon.domain.grains import DAY_MS, HOUR_MS, Grain, end_of, start_of
from otari_daemon.store import sql_usage as sql
from otari_daemon.store.cells import EXACT, TAGGED, Cell, Cells, KnownSeries, between, mark_stale, state
from otari_daemon.store.database import Connection, Session

FAMILIES = (0, TAGGED)


class Plan(NamedTuple):
    """What to build: whole months, and the state the cells are in until it is done."""

    start_ms: int
    end_ms: int
    seen: int


def begin(con: Connection) -> Plan:
    """Mark the cells as not exact, and say which months have rows or cells."""
    if state(con) == EXACT:
        mark_stale(con)
    bounds = [con.execute(sql.ROW_BOUNDS).fetchone()]
    bounds += [con.execute(sql.CELL_BOUNDS, (Grain.HOUR + family,)).fetchone() for family in FAMILIES]
    found = [bound for bound in bounds if bound[0] is not None]
    if not found:
        return Plan(0, 0, state(con))
    first, last = min(bound[0] for bound in found), max(bound[1] for bound in found)
    return Plan(start_of(Grain.MONTH, first), end_of(Grain.MONTH, last), state(con))


def steps(plan: Plan) -> Iterator[tuple[Grain, int]]:
    """Buckets in the order to build them: the hours of a day, the day, and after its days the month."""
    for hour_ms in range(plan.start_ms, plan.end_ms, HOUR_MS):
        yield Grain.HOUR, hour_ms
        for grain in (Grain.DAY, Grain.MONTH):
            if end_of(grain, hour_ms) == hour_ms + HOUR_MS:
                yield grain, start_of(grain, hour_ms)


def build(con: Connection, grain: Grain, start_ms: int) -> None:
    """Make the cells of one bucket anew: an hour from its rows, anything longer from what is within.

    Settlements go on between buckets: each is in what is added up here, or is added to the cells later. Other
    daemons on the same database may build or settle, too: one after the other.
    """
    con.execute(sql.CELLS_ALONE)
    end_ms = end_of(grain, start_ms)
    for family in FAMILIES:
        con.execute(sql.CELLS_DROP, (grain + family, start_ms, end_ms))
        if grain is not Grain.HOUR:
            finer = Grain(grain - 1) + family
            con.execute(sql.CELLS_ROLL_UP, (grain + family, start_ms, finer, start_ms, end_ms))
    if grain is Grain.HOUR:
        rows_as_cells(con, start_ms, end_ms).run(con, KnownSeries(), (Grain.HOUR,))


def finish(con: Connection, seen: int) -> bool:
    """Call the cells exact again, unless they were left behind meanwhile."""
    return bool(con.execute(sql.STATE_EXACT, (seen,)).rowcount)


def rows_as_cells(con: Any, since_ms: int, until_ms: int) -> Cells:
    """What the settled rows of whole hours and their corrections add up to."""
    cells = Cells()
    for hour, series, counts in between(con, since_ms, until_ms):
        cells.add(hour, series, counts)
    return cells


def is_stale(session: Session) -> bool:
    """Whether the cells are to be built anew."""
    return state(session.con) != EXACT


def differences(con: Any) -> Iterator[tuple[str, str]]:
    """Cells that do not say what the rows do, and how; none while they are marked to be built anew."""
    if state(con) != EXACT:
        return
    wanted: dict[Cell, list[int]] = {}
    (first, last) = con.execute(sql.ROW_BOUNDS).fetchone()
    for start_ms in range(0 if first is None else first - first % HOUR_MS, (last or -1) + 1, DAY_MS):
        for key, counts in rows_as_cells(con, start_ms, start_ms + DAY_MS).totals().items():
            others = wanted.get(key)
            wanted[key] = counts if others is None else list(map(add, others, counts))
    for grain in (grain + family for family in FAMILIES for grain in Grain):
        for start_ms, series, *counts in con.execute(sql.CELLS["each"], (grain, 0, 1 << 62)):
            expected = wanted.pop((grain, start_ms, series), None)
            if counts != expected:
                yield _name(grain, start_ms, series), f"it has {counts} where its requests sum to {expected}"
    for (grain, start_ms, series), counts in wanted.items():
        yield _name(grain, start_ms, series), f"it is not there, but its requests sum to {counts}"


def _name(grain: int, start_ms: int, series: int) -> str:
    tagged = "tagged " if grain >= TAGGED else ""
    return f"{tagged}usage {Grain(grain % TAGGED).name.lower()} {start_ms} of series {series}"
