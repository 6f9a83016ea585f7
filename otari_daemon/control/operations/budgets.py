"""Budgets: made, listed, changed, deleted, given to holders and taken away."""

from __future__ import annotations

from dataclasses import replace

from otari_daemon.control.actor import Actor
from otari_daemon.control.operations import find, values
from otari_daemon.control.operations.ceilings import Ceilings, fresh_starts, holder_text, restate
from otari_daemon.control.operations.desk import Desk, Edit, audit, changes
from otari_daemon.control.operations.grants import budget_of, grant_of
from otari_daemon.control.operations.periods import window_after
from otari_daemon.control.operations.views import budget_info
from otari_daemon.domain.budgets import Assignment, Budget, Holder
from otari_daemon.domain.errors import Conflict, InvalidField, LedgerUnavailable, NotFound
from otari_daemon.protocol.messages import (
    UNSET,
    BudgetAssign,
    BudgetCreate,
    BudgetInfo,
    BudgetUpdate,
)
from otari_daemon.protocol.shorthand import is_budget_shorthand
from otari_daemon.store import budgets as rows
from otari_daemon.store.database import Connection

ACKNOWLEDGED_WAIT_S = 5.0
"""How long an acknowledgement may take to reach the disk."""


class Budgets:
    """What an operator does with budgets; each change holds from the next request on."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @changes
    async def create(self, new: BudgetCreate, actor: Actor, *, dry_run: bool) -> BudgetInfo:
        """Make a budget nobody draws on yet."""
        desk, budget_id = self.desk, self.desk.new_id()
        name = _default_name(budget_id) if new.name is None else await self._free_name(new.name)
        budget = budget_of(new, budget_id, name, desk.clock.now_ms())

        def write(con: Connection) -> None:
            rows.insert(con, budget)

        await desk.apply(Edit("create_budget", budget.id, write, _nothing), actor, dry_run=dry_run)
        return self._shown(budget, desk.ceilings)

    async def listed(self, skip: int, limit: int) -> list[BudgetInfo]:
        """Budgets and their holders, oldest first."""
        living, ceilings = await self.desk.read(rows.page, skip, limit), self.desk.ceilings
        holders = ceilings.by_budget
        return [budget_info(self.desk, budget, ceilings, holders.get(budget.id, ())) for budget in living]

    async def one(self, id: str) -> BudgetInfo:
        """One budget by id or name."""
        return self._shown(await self.desk.read(find.budget, id), self.desk.ceilings)

    @changes
    async def update(self, id: str, change: BudgetUpdate, actor: Actor, *, dry_run: bool) -> BudgetInfo:
        """Change what is mentioned, for all holders; another window begins a new period at once."""
        desk, old = self.desk, await self.desk.read(find.budget, id)
        budget = await self._changed(old, change)
        accounts = desk.ledger.book.accounts
        begins_anew = budget.window != old.window
        fresh = fresh_starts(accounts, budget.id, desk.clock.now_ms()) if begins_anew else {}

        def write(con: Connection) -> None:
            rows.update(con, budget)
            rows.open_periods(con, fresh)  # the next start begins from the same rows

        def remember(_: None) -> None:
            for account in accounts.values():
                if account.budget_id == budget.id:
                    restate(account, budget, fresh.get(account.id))
            if begins_anew:
                desk.install(desk.ceilings)
            desk.seats.gather_anew(budget.id)

        await desk.apply(Edit("update_budget", budget.id, write, remember), actor, dry_run=dry_run)
        shown = desk.ceilings.restated(budget, fresh) if dry_run else desk.ceilings
        return self._shown(budget, shown)

    @changes
    async def delete(self, id: str, actor: Actor, *, dry_run: bool) -> None:
        """Delete a budget. Raises Conflict, naming them, while anybody holds it."""
        desk, budget = self.desk, await self.desk.read(find.budget, id)
        held_by = desk.ceilings.by_budget.get(budget.id, ())
        holders = [holder_text(each.holder, desk.seats.name_of) for each in held_by]
        if holders:
            raise Conflict(f"budget {budget.name!r} is held by {find.listed(holders)}; unassign it first")

        def write(con: Connection) -> None:
            rows.delete(con, budget.id, desk.clock.now_ms())

        await desk.apply(Edit("delete_budget", budget.id, write, _nothing), actor, dry_run=dry_run)

    @changes
    async def assign(self, id: str, holder: BudgetAssign, actor: Actor, *, dry_run: bool) -> BudgetInfo:
        """Put a holder under a budget; what it spent under it before counts."""
        desk, owner = self.desk, await self._holder(holder)
        given = await grant_of(desk, id, owner)
        budget = given.budget

        def remember(assignment: Assignment) -> None:
            desk.install(desk.ceilings.assigned(budget, assignment))

        edit = Edit("assign_budget", _target(budget, owner), given.write, remember)
        assignment = await desk.apply(edit, actor, dry_run=dry_run)
        return self._shown(budget, desk.ceilings.assigned(budget, assignment))

    @changes
    async def unassign(self, id: str, holder: BudgetAssign, actor: Actor, *, dry_run: bool) -> BudgetInfo:
        """Take a holder out from under a budget. Raises NotFound if it is not under it."""
        desk, budget = self.desk, await self.desk.read(find.budget, id)
        owner = await self._holder(holder)
        gone = [each for each in desk.ceilings.of_holders(owner) if each.budget_id == budget.id]
        if not gone:
            raise NotFound(f"{holder_text(owner, desk.seats.name_of)} is not under budget {budget.name!r}")

        def write(con: Connection) -> None:
            rows.unassign(con, budget.id, owner)

        def remember(_: None) -> None:
            desk.install(desk.ceilings.without(gone))

        edit = Edit("unassign_budget", _target(budget, owner), write, remember)
        await desk.apply(edit, actor, dry_run=dry_run)
        return self._shown(budget, desk.ceilings.without(gone))

    @changes
    async def acknowledge(self, id: str, actor: Actor, *, dry_run: bool) -> BudgetInfo:
        """Let a budget admit again after a provider billed more than was held.

        What the book decides goes to the disk by its journal, so here memory is first.
        """
        desk, budget = self.desk, await self.desk.read(find.budget, id)
        if not dry_run:
            await self._acknowledge(budget)
            audit("acknowledge_overage", budget.id, actor)
        return self._shown(budget, desk.ceilings)

    def _shown(self, budget: Budget, ceilings: Ceilings) -> BudgetInfo:
        return budget_info(self.desk, budget, ceilings, ceilings.by_budget.get(budget.id, ()))

    async def _acknowledge(self, budget: Budget) -> None:
        ledger = self.desk.ledger
        if not ledger.available:
            raise LedgerUnavailable("the books cannot be written now, so nothing changed; retry")
        for account in ledger.book.accounts.values():
            if account.budget_id == budget.id:
                ledger.book.acknowledge(account.id)
        if not await ledger.ticket().wait(ACKNOWLEDGED_WAIT_S):
            raise LedgerUnavailable("the acknowledgement is not on disk yet; it will be")

    async def _changed(self, budget: Budget, change: BudgetUpdate) -> Budget:
        if change.name is None:
            budget = replace(budget, name=_default_name(budget.id))
        elif change.name is not UNSET and change.name != budget.name:
            budget = replace(budget, name=await self._free_name(change.name))
        if change.max_budget is not UNSET:
            budget = replace(budget, limit=values.amount(change.max_budget, "max_budget"))
        if change.mode is not UNSET:
            budget = replace(budget, enforced=change.mode == "enforce")
        if change.on_exceed is not UNSET:
            budget = replace(budget, on_exceed=values.on_exceed(change.on_exceed))
        now_ms = self.desk.clock.now_ms()
        window = window_after(change, budget.window, now_ms)
        return replace(budget, window=window, updated_ms=now_ms)

    async def _free_name(self, wanted: str) -> str:
        name = values.label(wanted, "name")
        if is_budget_shorthand(name):
            raise InvalidField(f"{name!r} reads as an amount, so it cannot be a name", param="name")
        if await self.desk.read(rows.named, name):
            raise Conflict(f"a budget named {name!r} already exists")
        return name

    async def _holder(self, asked: BudgetAssign) -> Holder:
        return await self.desk.read(find.holder, self.desk.seats.users, asked)


def _default_name(budget_id: str) -> str:
    return f"budget-{budget_id[:8]}"


def _target(budget: Budget, holder: Holder) -> str:
    return f"{budget.id} {holder.kind.value}:{holder.id}"


def _nothing(_: None) -> None:
    """A budget without holders is not in memory."""
