"""Book and store agree with a model in any order of steps: a sample; `make hyp` for more."""

from __future__ import annotations

import pytest

from tests.ledger.machine import run


def test_book_and_store_agree_with_a_model_in_any_order_of_steps() -> None:
    run("sqlite", examples=60)


@pytest.mark.slow
def test_they_agree_on_postgresql_too() -> None:
    run("postgresql", examples=15)
