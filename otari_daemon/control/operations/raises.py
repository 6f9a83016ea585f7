"""Temporary raises: a budget given more room until a moment, and the room taken back early."""

from __future__ import annotations

from dataclasses import replace

from otari_daemon.control.actor import Actor
from otari_daemon.control.operations import find, values
from otari_daemon.control.operations.ceilings import holder_text, restate
from otari_daemon.control.operations.desk import Desk, Edit, changes
from otari_daemon.control.operations.views import budget_info
from otari_daemon.domain.budgets import Budget
from otari_daemon.domain.errors import Conflict, InvalidField, NotFound
from otari_daemon.domain.money import format_usd
from otari_daemon.domain.raises import RAISED_MAX, RAISES_MAX, Raise, in_force, total
from otari_daemon.protocol.messages import BudgetAssign, BudgetInfo, BudgetRaise
from otari_daemon.store import budgets, raises
from otari_daemon.store.database import Connection


class Raises:
    """What an operator does about a budget that is too small today; it holds from the next request on."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @changes
    async def add(self, id: str, new: BudgetRaise, actor: Actor, *, dry_run: bool) -> BudgetInfo:
        """Raise a budget until a moment, for all its holders."""
        desk, old = self.desk, await self._budget(id)
        made = self._draft(old, new, actor)
        budget = replace(old, raises=(*old.raises, made))

        def write(con: Connection) -> None:
            raises.add(con, budget.id, made)

        target = f"{budget.id} +{format_usd(made.amount)} until {new.until}"
        edit = Edit("raise_budget", target, write, lambda _: self._remember(budget))
        await desk.apply(edit, actor, dry_run=dry_run)
        return self._shown(budget)

    @changes
    async def end(self, id: str, actor: Actor, *, dry_run: bool) -> BudgetInfo:
        """Take back every raise of a budget. Raises NotFound if none is in force."""
        desk, old = self.desk, await self._budget(id)
        now_ms = desk.clock.now_ms()
        if not in_force(old.raises, now_ms):
            raise NotFound(f"budget {old.name!r} is not raised now")
        budget = replace(old, raises=())

        def write(con: Connection) -> int:
            return raises.end(con, budget.id, now_ms)

        edit = Edit("end_raises", budget.id, write, lambda _: self._remember(budget))
        await desk.apply(edit, actor, dry_run=dry_run)
        return self._shown(budget)

    def _draft(self, budget: Budget, new: BudgetRaise, actor: Actor) -> Raise:
        now_ms = self.desk.clock.now_ms()
        amount, until_ms = values.amount(new.amount, "amount"), values.moment(new.until, "until")
        if not amount:
            raise InvalidField("amount must be more than nothing", param="amount")
        if until_ms <= now_ms:
            raise InvalidField("until must be in the future", param="until")
        if budget.limit is None:
            raise Conflict(f"budget {budget.name!r} has no limit to raise")
        live = in_force(budget.raises, now_ms)
        if len(live) >= RAISES_MAX or total(live) + amount > RAISED_MAX:
            raise Conflict(
                f"budget {budget.name!r} is raised {len(live)} times by {format_usd(total(live))} USD; at "
                f"most {RAISES_MAX} times by {format_usd(RAISED_MAX)} are possible, so change its limit"
            )
        return Raise(self.desk.new_id(), amount, until_ms, now_ms, actor.uid, actor.reason)

    async def _budget(self, wanted: str) -> Budget:
        """A budget by id or name, or by its only holder, written `key:NAME` or `user:ID`."""
        try:
            return await self.desk.read(find.budget, wanted)
        except NotFound:
            kind, _, holder_id = wanted.partition(":")
            if kind not in ("key", "user") or not holder_id:
                raise
        return await self._budget_of(BudgetAssign("key" if kind == "key" else "user", holder_id))

    async def _budget_of(self, asked: BudgetAssign) -> Budget:
        desk = self.desk
        holder = await desk.read(find.holder, desk.seats.users, asked)
        drawn = desk.ceilings.of_holders(holder)
        named = holder_text(holder, desk.seats.name_of)
        if len(drawn) != 1:
            raise Conflict(f"{named} is under {len(drawn)} budgets of its own; name the one to raise")
        others = desk.ceilings.by_budget[drawn[0].budget_id]
        if len(others) != 1:
            raise Conflict(f"the budget of {named} has {len(others)} holders; name it to raise it for all")
        found = await desk.read(budgets.one, drawn[0].budget_id)
        assert found is not None, "a budget with a holder is not deleted"
        return found

    def _remember(self, budget: Budget) -> None:
        for account in self.desk.ledger.book.accounts.values():
            if account.budget_id == budget.id:
                restate(account, budget, None)
        self.desk.seats.gather_anew(budget.id)

    def _shown(self, budget: Budget) -> BudgetInfo:
        ceilings = self.desk.ceilings.restated(budget, {})
        return budget_info(self.desk, budget, ceilings, ceilings.by_budget.get(budget.id, ()))
