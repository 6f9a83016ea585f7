"""Settled requests as a provider's bill knows them: by its own name or ours, or by model and day."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import NamedTuple

from otari_daemon.domain.records import request_id_of
from otari_daemon.store import sql_books as sql
from otari_daemon.store.database import Session
from otari_daemon.store.schema import REF_CHARS

GROUPS_MAX = 100_000


class Booked(NamedTuple):
    """One request as it is charged now; `number` corrections are in that."""

    rid: bytes
    provider_ref: str
    model: str
    created_ms: int
    charge: int
    number: int


class Day(NamedTuple):
    """One model on one day, counted in days since 1970 (UTC)."""

    model: str
    day: int
    requests: int
    charge: int


def booked(
    session: Session, provider: str, names: Set[str], since_ms: int, until_ms: int
) -> Iterator[tuple[str, Booked]]:
    """The requests of a provider in a span of time that are among `names`, each with the name it goes by.

    Looks at every request of the span: names are not indexed, so that a settlement never grows an index.
    """
    kept = {name[:REF_CHARS].strip(): name for name in names}
    for row in session.con.execute(sql.BOOKED, (provider, since_ms, until_ms)):
        name = kept.get(row[1].strip()) or kept.get(request_id_of(bytes(row[0])))
        if name is not None:
            yield name, Booked(*row)


def days(session: Session, provider: str, since_ms: int, until_ms: int) -> list[Day]:
    """What a provider's models are charged on each day of a span of time."""
    return [
        Day(*row) for row in session.con.execute(sql.BOOKED_DAYS, (provider, since_ms, until_ms, GROUPS_MAX))
    ]
