"""What room there was under a ceiling when a request came, by the rows of those before it."""

from __future__ import annotations

from otari_daemon.store import sql_adjust as sql
from otari_daemon.store.database import Session
from otari_daemon.store.usage import Row

ROWS_MAX = 200_000
"""Rows of one period that are read for this: a fraction of a second."""


def drawn_before(session: Session, row: Row, account_id: int, period_start_ms: int) -> int | None:
    """Nano-USD posted and held under a balance when the request came; None with more than `ROWS_MAX` rows."""
    span = (period_start_ms, row.created_ms)
    (rows,) = session.con.execute(sql.ROWS_BETWEEN, (*span, ROWS_MAX + 1)).fetchone()
    if rows > ROWS_MAX:
        return None
    place = (account_id, period_start_ms, row.created_ms, row.rid)
    values = (row.created_ms, period_start_ms, *place)
    return int(session.con.execute(sql.DRAWN_BEFORE, values).fetchone()[0])
