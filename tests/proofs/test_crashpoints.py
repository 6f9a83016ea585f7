"""A daemon that dies on the way of money loses nothing that was acknowledged: a sample of the points."""

from __future__ import annotations

import importlib

import pytest

from tests.house.source import modules
from tests.proofs.crashing import ENVIRONMENT
from tests.proofs.crashpoints import run
from tests.proofs.points import POINTS

SAMPLE = (
    "recovery.move.leave",
    "fold.balances.enter",
    "database.batch.leave",
    "stream.close_books.leave",
)
POINTS_MIN = 40


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLE)
def test_nothing_acknowledged_is_lost_to_a_crash_at(name: str) -> None:
    assert run([name], lives=1, seed=1) == []


def test_there_are_forty_points_and_each_names_a_function_of_its_module() -> None:
    assert len(POINTS) >= POINTS_MIN
    for point in POINTS.values():
        owner = importlib.import_module(point.place.module)
        for part in point.place.function.split("."):
            owner = getattr(owner, part)
        assert callable(owner)


def test_the_daemon_itself_knows_nothing_of_crash_points() -> None:
    sources = [module.text for module in modules("otari_daemon")]

    assert sources
    assert not any(ENVIRONMENT in text for text in sources)
