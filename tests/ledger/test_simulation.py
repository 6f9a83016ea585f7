"""The ledger under simulated faults, and the simulation under planted defects."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from otari_daemon.domain.book import Book
from tests.ledger.engines import opened
from tests.ledger.model import ModelDisk
from tests.ledger.planted import BOOKS, DISKS
from tests.ledger.simulate import Failed, MakeBook, MakeDisk, run, run_many

HISTORIES = 10_000
HISTORIES_ON_A_SERVER = 60
CAUGHT_WITHIN = 1_000


def test_ten_thousand_histories_break_no_rule() -> None:
    with opened("sqlite") as engine:
        steps = run_many(HISTORIES, 1, engine)

    assert steps > HISTORIES * 40


def test_histories_on_postgresql_break_no_rule() -> None:
    with opened("postgresql") as engine:
        steps = run_many(HISTORIES_ON_A_SERVER, 1, engine)

    assert steps > HISTORIES_ON_A_SERVER * 40


@pytest.mark.parametrize("planted", BOOKS)
def test_a_planted_defect_in_the_book_is_caught(planted: Callable[..., Book]) -> None:
    def defective(book: Book) -> Book:
        return planted(book.first_bundle_id, book.accounts)

    assert "--seed" in _first_failure(made=defective)


@pytest.mark.parametrize("planted", DISKS)
def test_a_planted_defect_in_the_disk_is_caught(planted: MakeDisk) -> None:
    assert "--seed" in _first_failure(make_disk=planted)


def test_a_failing_history_names_the_arguments_that_play_it_again() -> None:
    line = _first_failure(make_disk=DISKS[0])

    arguments, _, seed = line.split("#")[0].rpartition(" --seed ")
    assert arguments == "--histories 1"
    with pytest.raises(Failed) as again:
        run(int(seed), make_disk=DISKS[0])
    assert str(again.value) == line


def _first_failure(made: MakeBook = lambda book: book, make_disk: MakeDisk = ModelDisk) -> str:
    for seed in range(CAUGHT_WITHIN):
        try:
            run(seed, made, make_disk)
        except Failed as failed:
            return str(failed)
    pytest.fail(f"not caught within {CAUGHT_WITHIN} histories")
