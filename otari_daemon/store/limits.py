"""Limits that operators set for keys and users. Functions that take a connection write."""

from __future__ import annotations

from otari_daemon.domain.limits import KIND_NAMES, NO_CAPS, Caps, Subject
from otari_daemon.store import sql
from otari_daemon.store.database import Connection, Session


def everything(session: Session) -> dict[Subject, Caps]:
    """What is set, by holder."""
    rows = session.con.execute(sql.CAPS)
    return {(KIND_NAMES.index(kind), id): Caps(*caps) for kind, id, *caps in rows}


def put(con: Connection, subject: Subject, caps: Caps) -> None:
    """Set the limits of a holder in place of those it had; without any, nothing is kept."""
    kind, id = KIND_NAMES[subject[0]], subject[1]
    if caps == NO_CAPS:
        con.execute(sql.CAPS_DELETE, (kind, id))
    else:
        con.execute(sql.CAPS_SET, (kind, id, *caps))
