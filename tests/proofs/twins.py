"""The same history on both engines leaves the same rows: `python -m tests.proofs.twins --histories 1000`.

Each seed of the simulator is played on SQLite and on PostgreSQL at once. All that either answers on the way
is compared, and in the end every row of every table. What is written is adorned with texts that engines
order, escape and fold differently, with names of requests, and with models that were asked for in vain.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar, cast

from otari_daemon.domain.book import Balance, BalanceKey, Book, Entry, HoldClosed, HoldOpened
from otari_daemon.domain.budgets import Budget
from otari_daemon.domain.idempotency import Named, Scoped, Unnamed
from otari_daemon.domain.records import Facts, Instead, Outcome, Progress, RecoveredHold
from otari_daemon.store import sql_copy
from otari_daemon.store.database import Connection
from tests.ledger.disk import RealDisk
from tests.ledger.engines import VACUUM_EVERY, Engine, opened
from tests.ledger.model import Amounts, require
from tests.ledger.simulate import run

WORDS = (
    "zoë",
    "Zoe",
    "zoe",
    "ZOË",
    "zoe\u0308",
    "日本",
    "ﬀ",
    "it's",
    '"q"',
    "100%s",
    "a\\b",
    "{a}",
    "a b ",
    "",
    "_",
)
"""Names whose order, case, width and escapes are a matter of opinion."""

Row = tuple[Any, ...]
T = TypeVar("T")


class Difference(NamedTuple):
    """Rows of one table at one place; None where an engine has no such row."""

    table: str
    sqlite: Row | None
    postgresql: Row | None


class Unproven(RealDisk):
    """A database that is proven once, in the end: half of the time of a history goes into proofs."""

    def check(self) -> None:
        """Later."""

    def prove(self) -> None:
        """Every rule, from the rows alone."""
        super().check()


@dataclass(frozen=True, slots=True)
class Twins:
    """Two databases to which the same happens, and which must always say the same."""

    sqlite: Unproven
    postgresql: Unproven

    def set_budget(self, number: int, budget: Budget) -> None:
        """Replace the budget of account `number`."""
        self._both(lambda disk: disk.set_budget(number, budget))

    def apply(self, entries: Sequence[Entry | Progress]) -> None:
        """Commit a batch."""
        written = list(adorned(entries))
        self._both(lambda disk: disk.apply(written))

    def amounts(self) -> dict[BalanceKey, Amounts]:
        """Posted, held and overage by balance."""
        return self._both(RealDisk.amounts)

    def charged(self) -> dict[bytes, int | None]:
        """Every hold's whole charge; None while open."""
        return self._both(RealDisk.charged)

    def drawn(self, rid: bytes) -> list[tuple[Balance, int, int]]:
        """What a closed request has drawn, with each balance as stored."""
        return self._both(lambda disk: disk.drawn(rid))

    def restart(self, now_ms: int) -> tuple[int, Book, list[RecoveredHold]]:
        """Begin an epoch, close the holds of the dead one, load the book: the same one, from either."""
        epoch, book, closed = self.sqlite.restart(now_ms)
        other_epoch, other_book, other_closed = self.postgresql.restart(now_ms)
        require((epoch, closed) == (other_epoch, other_closed), "both recover the same")
        require([*book.accounts.items()] == [*other_book.accounts.items()], "both load the same book")
        return epoch, book, closed

    def _both(self, ask: Callable[[Unproven], T]) -> T:
        answer, other = ask(self.sqlite), ask(self.postgresql)
        require(answer == other, f"both answer the same: {answer!r} and {other!r}")
        return answer


def adorned(entries: Sequence[Entry | Progress]) -> Iterator[Entry | Progress]:
    """The same entries in harder words; every other hold has a name, every third another model instead."""
    for entry in entries:
        if not isinstance(entry, HoldOpened | HoldClosed):
            yield entry
            continue
        rid, number = entry.hold.rid, int.from_bytes(entry.hold.rid[-6:], "big")
        word = WORDS[number % len(WORDS)]
        scoped = Scoped(f"key{number % 5}", "chat", word)
        if isinstance(entry, HoldOpened):
            facts = cast(Facts, entry.facts)
            instead = None if number % 3 else Instead(word, facts.model, word, word)
            harder = entry.hold.facts = facts._replace(user_id=word, provider=word, instead=instead)
            yield entry._replace(facts=harder)
            if number % 2:
                yield Named(scoped, rid[::-1], rid, facts.created_ms)
        else:
            outcome = cast(Outcome, entry.outcome)
            yield entry._replace(outcome=outcome._replace(provider_ref=word * 9))
            if number % 2 and entry.posted is None:
                yield Unnamed(scoped, rid)


def differences(sqlite: Connection, postgresql: Connection) -> Iterator[Difference]:
    """Rows that are not the same in both, table by table, in the order of their keys."""
    for table, statement in sql_copy.READ.items():
        rows, others = sqlite.execute(statement).fetchall(), postgresql.execute(statement).fetchall()
        for row, other in itertools.zip_longest(rows, others):
            if row != other:
                yield Difference(table, row, other)


def play(
    seed: int, sqlite: Engine, postgresql: Engine, server_disk: type[Unproven] = Unproven
) -> list[Difference]:
    """One history on both; raises `Failed` when they differ on the way. `server_disk` may have a defect."""
    made: list[Twins] = []

    def twins(budgets: list[Budget]) -> Twins:
        made.append(Twins(Unproven(budgets, sqlite.con), server_disk(budgets, postgresql.con)))
        return made[0]

    run(seed, make_disk=twins)
    made[0].sqlite.prove()
    made[0].postgresql.prove()
    return list(differences(sqlite.con, postgresql.con))


def main() -> None:
    """Read the arguments, play, print one line; exit 1 when anything differed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    begun_s, found = time.perf_counter(), 0
    with opened("sqlite") as sqlite, opened("postgresql") as postgresql:
        for seed in range(wanted.seed, wanted.seed + wanted.histories):
            if seed % VACUUM_EVERY == 0:
                postgresql.sweep()
            for difference in play(seed, sqlite, postgresql):
                found += 1
                print(f"seed {seed}: {difference}", flush=True)
    took_s = time.perf_counter() - begun_s
    print(f"{wanted.histories} histories on both engines, {found} rows differ, {took_s:.1f} s")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
