"""Budgets as operators set them: a limit over a window, and the holders it applies to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from otari_daemon.domain.book import Account
from otari_daemon.domain.exceeding import BLOCK, OnExceed
from otari_daemon.domain.money import Nano
from otari_daemon.domain.raises import Raise
from otari_daemon.domain.windows import Window


class HolderKind(StrEnum):
    """What a budget can be assigned to. The words are stored."""

    KEY = "key"
    USER = "user"
    GLOBAL = "global"


class Holder(NamedTuple):
    """One holder of a budget; `id` is empty for everybody."""

    kind: HolderKind
    id: str


EVERYBODY = Holder(HolderKind.GLOBAL, "")


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit in nano-USD over a window; None is no limit.

    `enforced` refuses what does not fit, otherwise it only watches. `pooled` gives all holders one
    balance together instead of one each. `raises` are those that nobody has taken back, ended ones too.
    """

    id: str
    name: str
    limit: Nano | None
    window: Window
    created_ms: int
    enforced: bool = True
    pooled: bool = False
    on_exceed: OnExceed = BLOCK
    updated_ms: int = 0
    raises: tuple[Raise, ...] = ()


class Assignment(NamedTuple):
    """A budget applied to a holder, and the account its requests draw on."""

    budget_id: str
    holder: Holder
    account_id: int


def account_of(budget: Budget, account_id: int) -> Account:
    """An account under a budget, as the book wants it: nothing spent, no period open."""
    return Account(
        account_id,
        budget.id,
        budget.name,
        budget.limit,
        budget.window,
        budget.enforced,
        on_exceed=budget.on_exceed,
        raises=budget.raises,
    )
