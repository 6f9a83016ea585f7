"""Corrections in the database: what one starts from, what is shown of them, and whether they add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from otari_daemon.domain.book import Balance, BalanceKey
from otari_daemon.domain.money import Nano
from otari_daemon.store import sql_adjust as sql
from otari_daemon.store.database import Connection, Session
from otari_daemon.store.schema import POSTED

_COMMON = ("key", "user", "model", "provider", "endpoint", "day")
_BOUND = ("key_id", "user_id", "model", "provider", "since_ms", "until_ms")


class Leg(NamedTuple):
    """A balance a request drew on, as the rows have it, and what the request has drawn from it so far."""

    balance: Balance
    posted: int
    overage: int


class Standing(NamedTuple):
    """What a closed request is charged now: `charged` at its settlement, `corrected` since."""

    charged: int
    corrected: int
    made: frozenset[tuple[str, str]]
    legs: tuple[Leg, ...]

    @property
    def net(self) -> int:
        """The whole charge, never below zero."""
        return self.charged + self.corrected


class Made(NamedTuple):
    """A correction as it is shown."""

    source: str
    ref: str
    amount: int
    made_ms: int
    reason: str


def standing(session: Session, rids: Sequence[bytes]) -> dict[bytes, Standing]:
    """What closed requests are charged now; one that is open or unknown is left out."""
    balances: dict[BalanceKey, Balance] = {}
    found = {rid: _standing(session.con, rid, balances) for rid in rids}
    return {rid: each for rid, each in found.items() if each is not None}


def of_request(session: Session, rid: bytes) -> tuple[Made, ...]:
    """The corrections of one request, oldest first."""
    return tuple(Made(*row) for row in session.con.execute(sql.OF_REQUEST, (rid,)))


def sums(session: Session, rids: Sequence[bytes]) -> dict[bytes, int]:
    """What corrections of some requests come to; one without any is left out."""
    if session.con.execute(sql.ANY).fetchone() is None:
        return {}
    found = {rid: session.con.execute(sql.SUM, (rid,)).fetchone()[0] for rid in rids}
    return {rid: amount for rid, amount in found.items() if amount is not None}


def by_group(session: Session, values: Mapping[str, object], by: str) -> dict[str, int]:
    """What corrections of the requests of a query come to, by what they have in common."""
    corrected: Counter[str] = Counter()
    for row in session.con.execute(sql.WITHIN, {name: values[name] for name in _BOUND}):
        common = dict(zip(_COMMON, row[:-1], strict=True))
        name = _day(common["day"]) if by == "day" else common[by]
        corrected[name] += row[-1]
    return dict(corrected)


def _day(created_ms: int) -> str:
    return datetime.fromtimestamp(created_ms // 1000, UTC).date().isoformat()


def _standing(con: Connection, rid: bytes, balances: dict[BalanceKey, Balance]) -> Standing | None:
    row = con.execute(sql.STANDING, (rid,)).fetchone()
    if row is None or row[0] < POSTED:
        return None
    _, posted, overage, bundle_id = row
    prior = con.execute(sql.PRIOR, (rid,)).fetchall()
    shares = {account: moved for account, *moved in con.execute(sql.SHARES, (rid,))} if prior else {}
    legs = []
    for account, start_ms, *amounts in con.execute(sql.LEGS, (bundle_id,)).fetchall():
        key = BalanceKey(account, start_ms)
        balance = balances.setdefault(key, Balance(key, *map(Nano, amounts)))
        moved = shares.get(account, (0, 0))
        legs.append(Leg(balance, posted + moved[0], overage + moved[1]))
    made = frozenset((source, ref) for source, ref, _ in prior)
    return Standing(posted + overage, sum(amount for _, _, amount in prior), made, tuple(legs))


def balances_moved(con: Connection) -> Iterator[tuple[BalanceKey, int, int]]:
    """What all corrections together posted and overdrew, by balance."""
    for account, start_ms, posted, overage in con.execute(sql.PROOF_BALANCES):
        yield BalanceKey(account, start_ms), posted, overage


def count(con: Connection) -> int:
    """How many corrections there are."""
    return int(con.execute(sql.PROOF_COUNT).fetchone()[0])


def faults(con: Connection) -> Iterator[tuple[str, str]]:
    """Corrections that cannot be right: which row, and why; at most 1,000 of a kind."""
    for (rid,) in con.execute(sql.PROOF_LOOSE):
        yield _name(rid), "it corrects a request that is not closed or not there"
    for (rid,) in con.execute(sql.PROOF_UNEVEN):
        yield _name(rid), "a share of it is not its amount"
    for rid, account in con.execute(sql.PROOF_MISSED):
        yield _name(rid), f"account {account} has no share of it"
    for rid, account in con.execute(sql.PROOF_STRAY):
        yield _name(rid), f"account {account} has a share of it, but held nothing for its request"
    for rid, net in con.execute(sql.PROOF_BELOW):
        yield _name(rid), f"it leaves its request charged {net}"


def _name(rid: bytes) -> str:
    return f"adjustment of {bytes(rid).hex()}"
