"""Settled requests with all that pricing them again needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from otari_daemon.domain.usage import Usage
from otari_daemon.store import sql_books as sql
from otari_daemon.store.database import Session
from otari_daemon.store.schema import PRESUMED


class Charged(NamedTuple):
    """One settled request. `others` of its `number` corrections come from elsewhere than pricing again."""

    rid: bytes
    created_ms: int
    model: str
    state: int
    held: int
    posted: int
    corrected: int
    others: int
    number: int
    card: int
    usage: Usage

    @property
    def charge(self) -> int:
        """What it is charged now."""
        return self.posted + self.corrected

    @property
    def presumed(self) -> bool:
        """Whether a crash ended it, so that it is charged no more than was held."""
        return self.state == PRESUMED


def charged(session: Session, since_ms: int, until_ms: int) -> Iterator[Charged]:
    """Requests admitted in a span of time that were not voided, oldest first."""
    for row in session.con.execute(sql.REPRICED, (since_ms, until_ms)):
        yield Charged._make((*row[:10], Usage(*row[10:])))
