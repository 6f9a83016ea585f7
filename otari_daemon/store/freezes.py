"""Who is frozen, in the database. A connection writes, a session reads."""

from __future__ import annotations

from otari_daemon.domain.budgets import Holder, HolderKind
from otari_daemon.domain.freezes import Freeze
from otari_daemon.store import sql
from otari_daemon.store.database import Connection, Session


def everything(session: Session) -> list[Freeze]:
    """All freezes, ended ones too until the next one is written, oldest first."""
    return [
        Freeze(Holder(HolderKind(kind), holder_id), until_ms, reason, created_ms, uid)
        for kind, holder_id, until_ms, reason, created_ms, uid in session.con.execute(sql.FROZEN)
    ]


def put(con: Connection, made: Freeze) -> None:
    """Freeze a holder, or freeze it anew; forgets freezes that ended before."""
    con.execute(sql.FROZEN_ENDED, (made.created_ms,))
    values = (made.until_ms, made.reason, made.created_ms, made.uid)
    con.execute(sql.FREEZE, (made.holder.kind.value, made.holder.id, *values))


def remove(con: Connection, holder: Holder) -> bool:
    """Unfreeze a holder; False if it was not frozen."""
    return con.execute(sql.UNFREEZE, (holder.kind.value, holder.id)).rowcount == 1
