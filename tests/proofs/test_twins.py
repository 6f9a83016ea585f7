"""Both engines keep the same books of the same history; and the comparison that says so can say otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from otari_daemon.store import sql_copy
from tests.ledger.engines import Engine, opened
from tests.ledger.simulate import Failed
from tests.proofs.twins import Unproven, play

SEEDS = range(1, 21)
WRITTEN = {
    *("meta", "budget", "account", "budget_assignment", "balance", "bundle", "rate_card", "hold"),
    *("hold_instead", "idempotency", "adjustment", "adjustment_share"),
}
"""Tables in which a history leaves rows."""


@pytest.fixture(scope="module")
def engines() -> Iterator[tuple[Engine, Engine]]:
    """Both, for all tests here."""
    with opened("sqlite") as sqlite, opened("postgresql") as postgresql:
        yield sqlite, postgresql


def test_twenty_histories_leave_the_same_rows_on_both_engines(engines: tuple[Engine, Engine]) -> None:
    seen: set[str] = set()
    for seed in SEEDS:
        assert play(seed, *engines) == []
        seen |= {table for table, read in sql_copy.READ.items() if engines[1].con.execute(read).fetchone()}

    assert seen >= WRITTEN


class GoesAstray(Unproven):
    """Writes another status than it was given."""

    def prove(self) -> None:
        self._con.execute("UPDATE hold SET status = 418 WHERE status = 200")


class PartsEarly(Unproven):
    """Adds to every balance whatever it commits."""

    def check(self) -> None:
        self._con.execute("UPDATE balance SET posted_n = posted_n + 1, limit_n = NULL")


def test_an_engine_that_wrote_something_else_is_found(engines: tuple[Engine, Engine]) -> None:
    found = [difference for seed in SEEDS for difference in play(seed, *engines, GoesAstray)]

    assert {difference.table for difference in found} == {"hold"}
    assert all(difference.sqlite and difference.postgresql for difference in found)


def test_an_engine_that_parts_on_the_way_is_found_there(engines: tuple[Engine, Engine]) -> None:
    with pytest.raises(Failed, match="both"):
        play(4, *engines, PartsEarly)
