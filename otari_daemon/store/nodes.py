"""Nodes that share a ledger: joining, leaving, what is new, and closing the books of the dead."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from otari_daemon.domain.book import Account, BalanceKey
from otari_daemon.domain.budgets import Assignment
from otari_daemon.domain.freezes import Freeze
from otari_daemon.domain.keys import VirtualKey
from otari_daemon.domain.limits import Caps, Subject
from otari_daemon.domain.pricing import Price
from otari_daemon.domain.records import RecoveredHold
from otari_daemon.domain.users import User
from otari_daemon.store import budgets, freezes, keys, limits, prices, recovery, sql, sql_shared, users
from otari_daemon.store.database import Connection, Session

if TYPE_CHECKING:
    from otari_daemon.store.engines.postgres_connection import PostgresConnection  # its driver is an extra

DEAD_MS = 15_000
"""A node that has not committed for so long, by the database's clock, is dead; it learns so if it is not."""

SWEPT_MAX = 500
"""Holds, and leases, closed in one transaction."""


class News(NamedTuple):
    """What a node looks at all the time; `balances` are those it leases, with their recalls."""

    generation: int
    nodes: int
    balances: list[tuple[BalanceKey, int, int, int, int]]


class Everything(NamedTuple):
    """All that operators set up, at one moment; `generation` counts its changes."""

    generation: int
    keys: list[VirtualKey]
    users: list[User]
    assignments: list[Assignment]
    frozen: list[Freeze]
    caps: dict[Subject, Caps]
    prices: list[Price]
    accounts: dict[int, Account]


class Swept(NamedTuple):
    """What became of dead nodes: those found now, their holds, how many of their leases came back."""

    nodes: list[int]
    holds: list[RecoveredHold]
    leases: int

    @property
    def whole(self) -> bool:
        """Whether nothing is left to close."""
        return len(self.holds) < SWEPT_MAX and self.leases < SWEPT_MAX


def join(con: Connection) -> int:
    """Begin an epoch as one of several nodes."""
    epoch = recovery.begin_epoch(con)
    _server(con).say(sql_shared.JOIN)
    return epoch


def leave(con: Connection, epoch: int) -> None:
    """End an epoch whose leases have been given back; whatever is left of it is swept like the dead's."""
    _server(con).say(sql_shared.LEAVE_LEASES, (epoch,))
    _server(con).say(sql_shared.LEAVE, (epoch,))


def news(session: Session, epoch: int) -> News:
    """How many changes were made, how many nodes live, and what others did to the balances we lease."""
    server = _server(session.con)
    generation, nodes = server.one_row(sql_shared.GENERATION)
    rows = server.say(sql_shared.MY_BALANCES, (epoch,)).fetchall()
    return News(generation, nodes, [(BalanceKey(*row[:2]), *row[2:]) for row in rows])


def generation(session: Session) -> int:
    """How many changes operators have made."""
    return int(_server(session.con).one_row(sql_shared.GENERATION)[0])


def count_change(con: Connection, known: int) -> bool:
    """Count one more change; False if others have been made than those known."""
    return _server(con).say(sql_shared.GENERATION_NEXT, (known,)).rowcount == 1


def everything(session: Session) -> Everything:
    """All that operators set up."""
    return Everything(
        generation(session),
        [stored.key for stored in keys.everything(session)],
        users.everything(session),
        budgets.assignments(session),
        freezes.everything(session),
        limits.everything(session),
        prices.everything(session),
        recovery.load_accounts(session.con),
    )


def latest_balances(session: Session) -> list[tuple[int, int, int, int, int, int]]:
    """The newest balance of every account: account, period start, posted, pending, overage, acknowledged."""
    return session.con.execute(sql.LATEST_BALANCES).fetchall()


def sweep(con: Connection, epoch: int, now_ms: int) -> Swept | None:
    """Declare silent nodes dead and close what the dead left, each once; None while another node does it."""
    server = _server(con)
    if not server.one_row(sql_shared.SWEEP_ALONE)[0]:
        return None
    dead = [row[0] for row in server.say(sql_shared.SWEEP_NODES, (epoch, DEAD_MS))]
    orphans = server.say(sql_shared.SWEEP_HOLDS, (SWEPT_MAX,)).fetchall()
    leases = server.say(sql_shared.SWEEP_LEASES, (SWEPT_MAX,)).fetchall()
    legs = server.say(sql_shared.SWEPT_BUNDLES, ([row[1] for row in orphans],)).fetchall()
    touched = sorted({*legs, *(row[:2] for row in leases)})
    server.say(sql_shared.LOCK_BALANCES, ([key[0] for key in touched], [key[1] for key in touched]))
    closed = recovery.close(con, orphans, now_ms)
    for account_id, start_ms, owner, idle in leases:
        con.execute(sql.BALANCE_MOVE, (0, None, -idle, 0, 0, 0, account_id, start_ms))
        server.say(sql_shared.SWEPT_LEASE, (account_id, start_ms, owner))
    return Swept(dead, closed, len(leases))


def _server(con: Connection) -> PostgresConnection:
    return cast("PostgresConnection", con)
