"""A budget as an account of the book has it."""

from __future__ import annotations

from otari_daemon.domain.budgets import Budget, account_of
from otari_daemon.domain.money import Nano
from otari_daemon.domain.windows import Lifetime


def test_a_budget_is_enforced_and_each_holders_own_unless_it_says_otherwise() -> None:
    made = Budget("b1", "ci", Nano(5), Lifetime(), 1)

    assert (made.enforced, made.pooled) == (True, False)


def test_an_account_takes_its_terms_from_its_budget_and_begins_with_nothing() -> None:
    account = account_of(Budget("b1", "ci", Nano(5), Lifetime(), 1, enforced=False), 7)

    assert (account.id, account.budget_id, account.name, account.limit) == (7, "b1", "ci", 5)
    assert (account.enforced, account.cap, account.balance) == (False, None, None)
    assert account.period == (0, 0)
