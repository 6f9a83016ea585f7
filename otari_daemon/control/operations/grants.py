"""A budget for somebody, on the way to being given: one there is, or one made for them."""

from __future__ import annotations

from typing import NamedTuple

from otari_daemon.control.operations import find
from otari_daemon.control.operations.desk import Desk
from otari_daemon.control.operations.periods import window_of
from otari_daemon.control.operations.values import LABEL_CHARS_MAX, amount, on_exceed
from otari_daemon.domain.budgets import Assignment, Budget, Holder
from otari_daemon.domain.errors import InvalidField
from otari_daemon.protocol.messages import BudgetCreate
from otari_daemon.protocol.shorthand import is_budget_shorthand, parse_budget
from otari_daemon.store import budgets
from otari_daemon.store.database import Connection, Session


class Grant(NamedTuple):
    """A budget and the holder it is for. `made` says that the budget is new."""

    budget: Budget
    holder: Holder
    made: bool
    account_id: int
    now_ms: int

    def write(self, con: Connection) -> Assignment:
        """Put both into the database; the account is the one the holder had under the budget, if any."""
        if self.made:
            budgets.insert(con, self.budget)
        assignment = budgets.assign(con, self.budget.id, self.holder, self.account_id, self.now_ms)
        assert assignment is not None, "a budget went away while nothing else could change"
        return assignment


async def grant(desk: Desk, text: str, holder: Holder, name: str) -> Grant:
    """Read shorthand like `5/day` as a new budget for `holder`, or anything else as one by name or id.

    A new one is called after its holder: `key:<name>`, with a number behind it when that is taken.
    """
    if not is_budget_shorthand(text):
        return await grant_of(desk, text, holder)
    now_ms = desk.clock.now_ms()
    free = await desk.read(_untaken, f"{holder.kind.value}:{name}")
    try:
        made = budget_of(parse_budget(text), desk.new_id(), free, now_ms)
    except InvalidField as error:
        raise InvalidField(error.message, param="budget") from error
    return Grant(made, holder, True, desk.ceilings.next_account_id, now_ms)


async def grant_of(desk: Desk, wanted: str, holder: Holder) -> Grant:
    """A budget there is, by id or name, for `holder`. Raises NotFound."""
    budget = await desk.read(find.budget, wanted)
    return Grant(budget, holder, False, desk.ceilings.next_account_id, desk.clock.now_ms())


def budget_of(new: BudgetCreate, budget_id: str, name: str, now_ms: int) -> Budget:
    """A new budget as its message says. Raises InvalidField."""
    return Budget(
        budget_id,
        name,
        amount(new.max_budget, "max_budget"),
        window_of(new, now_ms),
        now_ms,
        new.mode == "enforce",
        new.scope == "pooled",
        on_exceed(new.on_exceed),
    )


def _untaken(session: Session, name: str) -> str:
    name = name[: LABEL_CHARS_MAX - len("-1000000000")]
    free, number = name, 1
    while budgets.named(session, free):  # ends: there are finitely many budgets
        number += 1
        free = f"{name}-{number}"
    return free
