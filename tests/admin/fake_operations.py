"""The control plane as the admin edge knows it, in memory: enough to be asked everything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import fields, replace
from typing import Any, TypeVar

from otari_daemon.admin.operations import Actor
from otari_daemon.domain.errors import Conflict, InvalidField, LedgerUnavailable, NotFound
from otari_daemon.protocol import messages as m
from tests.admin.samples import AT, EXPLAINED, PRICE, RECONCILED, REFUSAL, REPRICED, ROW, SIMULATED, STATUS

T = TypeVar("T")
SECRET = "gw-" + "s" * 64


class FakeOperations:
    """Remembers what it was told; `writes` has every change with its actor and whether it was a dry run."""

    def __init__(self) -> None:
        self.writes: list[tuple[str, Actor, bool]] = []
        self.queries: list[m.UsageQuery] = []
        self.asked: list[object] = []
        self.keys_by_id: dict[str, m.KeyInfo] = {}
        self.users_by_id: dict[str, m.UserInfo] = {}
        self.budgets_by_id: dict[str, m.BudgetInfo] = {}
        self.rows: list[m.UsageRow] = [ROW]
        self.summary = [m.UsageSummaryRow("ci", 3, 63_900, 1_833, "0.0558")]
        self.held = [
            m.HoldInfo("req_2", 12_000, "0.412", "k_1", "ci", "gpt-5.6", ("key:ci", "global"), True, 412)
        ]
        self.report = m.VerifyReport(True, 9, 2, 12)
        self.state = STATUS
        self.feed: asyncio.Queue[m.Event | None] = asyncio.Queue()
        self.followed_after: list[str | None] = []
        self.left = 0
        self.broken: Exception | None = None

    # Keys

    async def create_key(self, new: m.KeyCreate, actor: Actor, *, dry_run: bool) -> m.KeyCreated:
        self._write("create_key", actor, dry_run, new)
        if any(key.key_name == new.key_name for key in self.keys_by_id.values()):
            raise Conflict(f"there is a key named {new.key_name}")
        if new.budget == "nothing":
            raise InvalidField("budget is neither shorthand nor the name of a budget", param="budget")
        id = f"k_{len(self.keys_by_id) + 1}"
        info = m.KeyInfo(
            id=id,
            key_prefix=SECRET[:10],
            key_name=new.key_name,
            user_id=new.user_id,
            created_at=AT,
            expires_at=new.expires_at,
            last_used_at=None,
            is_active=True,
            status="active",
            metadata=new.metadata,
            allowed_models=new.allowed_models,
        )
        if not dry_run:
            self.keys_by_id[id] = info
        return _created(info, None if dry_run else SECRET)

    async def keys(self, skip: int, limit: int) -> list[m.KeyInfo]:
        return list(self.keys_by_id.values())[skip : skip + limit]

    async def key(self, id: str) -> m.KeyInfo:
        return _find(self.keys_by_id, id, "key_name")

    async def update_key(self, id: str, change: m.KeyUpdate, actor: Actor, *, dry_run: bool) -> m.KeyInfo:
        self._write("update_key", actor, dry_run, change)
        return self._keep(self.keys_by_id, id, _changed(await self.key(id), change), dry_run)

    async def revoke_key(self, id: str, actor: Actor, *, dry_run: bool) -> m.KeyInfo:
        self._write("revoke_key", actor, dry_run)
        key = await self.key(id)
        return self._keep(self.keys_by_id, key.id, replace(key, is_active=False, status="revoked"), dry_run)

    async def rotate_key(self, id: str, actor: Actor, *, dry_run: bool) -> m.KeyCreated:
        self._write("rotate_key", actor, dry_run)
        return _created(await self.key(id), None if dry_run else SECRET)

    async def delete_key(self, id: str, actor: Actor, *, dry_run: bool) -> None:
        self._write("delete_key", actor, dry_run)
        del self.keys_by_id[(await self.key(id)).id]

    # Users

    async def create_user(self, new: m.UserCreate, actor: Actor, *, dry_run: bool) -> m.UserInfo:
        self._write("create_user", actor, dry_run, new)
        made = m.UserInfo(new.user_id, new.alias, 0.0, new.budget_id, None, None, new.blocked, AT, AT)
        return self._keep(self.users_by_id, new.user_id, made, dry_run)

    async def users(self, skip: int, limit: int) -> list[m.UserInfo]:
        return list(self.users_by_id.values())[skip : skip + limit]

    async def user(self, id: str) -> m.UserInfo:
        return _find(self.users_by_id, id, "user_id")

    async def update_user(self, id: str, change: m.UserUpdate, actor: Actor, *, dry_run: bool) -> m.UserInfo:
        self._write("update_user", actor, dry_run, change)
        return self._keep(self.users_by_id, id, _changed(await self.user(id), change), dry_run)

    async def delete_user(self, id: str, actor: Actor, *, dry_run: bool) -> None:
        self._write("delete_user", actor, dry_run)
        del self.users_by_id[(await self.user(id)).user_id]

    # Budgets

    async def create_budget(self, new: m.BudgetCreate, actor: Actor, *, dry_run: bool) -> m.BudgetInfo:
        self._write("create_budget", actor, dry_run, new)
        id, limit = (
            f"b_{len(self.budgets_by_id) + 1}",
            None if new.max_budget is None else str(new.max_budget),
        )
        made = m.BudgetInfo(
            budget_id=id,
            name=new.name,
            max_budget=float(limit) if limit else None,
            limit_usd=limit,
            per=new.per or "lifetime",
            time_zone=new.time_zone,
            mode=new.mode,
            scope=new.scope,
            budget_duration_sec=None,
            reset_alignment=None,
            created_at=AT,
            updated_at=AT,
        )
        return self._keep(self.budgets_by_id, id, made, dry_run)

    async def budgets(self, skip: int, limit: int) -> list[m.BudgetInfo]:
        return list(self.budgets_by_id.values())[skip : skip + limit]

    async def budget(self, id: str) -> m.BudgetInfo:
        return _find(self.budgets_by_id, id, "name")

    async def update_budget(
        self, id: str, change: m.BudgetUpdate, actor: Actor, *, dry_run: bool
    ) -> m.BudgetInfo:
        self._write("update_budget", actor, dry_run, change)
        return await self.budget(id)

    async def delete_budget(self, id: str, actor: Actor, *, dry_run: bool) -> None:
        self._write("delete_budget", actor, dry_run)
        if (await self.budget(id)).holders:
            raise Conflict(f"{id} has holders; unassign them first")

    async def assign_budget(
        self, id: str, holder: m.BudgetAssign, actor: Actor, *, dry_run: bool
    ) -> m.BudgetInfo:
        self._write("assign_budget", actor, dry_run, holder)
        budget = await self.budget(id)
        named = f"{holder.holder_kind}:{holder.holder_id}" if holder.holder_id else holder.holder_kind
        name, limit = budget.name or "", budget.limit_usd
        use = m.BudgetUse(budget.budget_id, name, named, limit, "1.25", "0.10", "0.00", AT, None, "enforce")
        return self._keep(
            self.budgets_by_id, budget.budget_id, replace(budget, holders=(*budget.holders, use)), dry_run
        )

    async def unassign_budget(
        self, id: str, holder: m.BudgetAssign, actor: Actor, *, dry_run: bool
    ) -> m.BudgetInfo:
        self._write("unassign_budget", actor, dry_run, holder)
        budget = await self.budget(id)
        return self._keep(self.budgets_by_id, budget.budget_id, replace(budget, holders=()), dry_run)

    async def acknowledge_overage(self, id: str, actor: Actor, *, dry_run: bool) -> m.BudgetInfo:
        self._write("acknowledge_overage", actor, dry_run)
        return await self.budget(id)

    # What is looked at

    async def usage(self, query: m.UsageQuery) -> m.UsagePage:
        self.queries.append(query)
        start = int(query.cursor or 0)
        found = [row for row in self.rows if query.request_id in (None, row.request_id)]
        page = tuple(found[start : start + query.limit])
        more = start + query.limit < len(found)
        return m.UsagePage(page, str(start + query.limit) if more else None)

    async def usage_summary(self, by: m.Grouping, query: m.UsageQuery) -> list[m.UsageSummaryRow]:
        self.asked.append(by)
        self.queries.append(query)
        return self.summary

    async def holds(self) -> list[m.HoldInfo]:
        return self.held

    async def verify(self) -> m.VerifyReport:
        return self.report

    async def status(self) -> m.Status:
        if self.broken is not None:
            raise self.broken
        return self.state

    async def models(self) -> list[m.ModelInfo]:
        return [
            m.ModelInfo("mock:echo", "mock", "mock", 0, "config", "1.00", "2.00", mock=True),
            m.ModelInfo("local:qwen", "local", "local", 0, "none"),
        ]

    async def set_price(self, new: m.PriceSet, actor: Actor, *, dry_run: bool) -> m.PriceInfo:
        self._write("set_price", actor, dry_run, new)
        return replace(PRICE, model_key=new.model_key)

    async def prices(self, skip: int, limit: int) -> list[m.PriceInfo]:
        return [PRICE][skip : skip + limit]

    async def price_suggestions(self, since: str | None) -> list[m.PriceSuggestion]:
        self.asked.append(since)
        return []

    async def price(self, key: str, as_of: str | None) -> m.PriceInfo:
        self.asked.append((key, as_of))
        if key != PRICE.model_key:
            raise NotFound(f"Pricing for model {key!r} not found")
        return PRICE

    async def price_history(self, key: str) -> list[m.PriceInfo]:
        return [await self.price(key, None)]

    async def delete_price(self, key: str, effective_at: str | None, actor: Actor, *, dry_run: bool) -> None:
        self._write("delete_price", actor, dry_run, (key, effective_at))

    async def explain(self, request_id: str) -> m.Explanation:
        if request_id != "req_1":
            raise NotFound(f"request {request_id!r} is not in the books")
        return EXPLAINED

    async def refusals(self, since: str | None) -> list[m.RefusalGroup]:
        self.asked.append(since)
        return [m.RefusalGroup("budget_exceeded", "team", 4, REFUSAL)]

    async def reprice(self, asked: m.Reprice, actor: Actor, *, dry_run: bool) -> m.RepriceReport:
        self._write("reprice", actor, dry_run, asked)
        return replace(REPRICED, made=0 if dry_run else 1)

    async def simulate_budget(self, asked: m.BudgetSimulate) -> m.Simulation:
        self.asked.append(asked)
        return SIMULATED

    async def reconcile(self, asked: m.Reconcile, actor: Actor, *, dry_run: bool) -> m.ReconcileReport:
        self._write("reconcile", actor, dry_run, asked)
        return replace(RECONCILED, made=0 if dry_run else 1)

    async def events(self, after: str | None) -> AsyncIterator[m.Event]:
        """What is put into `feed`; None ends it. Counts the readers that were let go."""
        self.followed_after.append(after)
        try:
            while (event := await self.feed.get()) is not None:
                yield event
        finally:
            self.left += 1

    async def shutdown(self, actor: Actor) -> None:
        self._write("shutdown", actor, False)

    def _write(self, what: str, actor: Actor, dry_run: bool, asked: object = None) -> None:
        if self.broken is not None:
            raise self.broken
        self.writes.append((what, actor, dry_run))
        if asked is not None:
            self.asked.append(asked)

    def _keep(self, where: dict[str, T], id: str, made: T, dry_run: bool) -> T:
        if not dry_run:
            where[id] = made
        return made


LEDGER_DOWN = LedgerUnavailable("the ledger cannot be written; nothing billable is admitted")


def _find(where: dict[str, T], id: str, name: str) -> T:
    for key, value in where.items():
        if id in (key, getattr(value, name)):
            return value
    raise NotFound(f"there is nothing called {id}")


def _created(info: m.KeyInfo, secret: str | None) -> m.KeyCreated:
    shared = {field.name for field in fields(m.KeyCreated)} - {"key"}
    return m.KeyCreated(key=secret, **{name: getattr(info, name) for name in shared})


def _changed(value: T, change: Any) -> T:
    mentioned = {field.name: getattr(change, field.name) for field in fields(change)}
    kept: Any = value
    shown = {field.name for field in fields(kept)}
    told = {name: new for name, new in mentioned.items() if new is not m.UNSET and name in shown}
    changed: T = replace(kept, **told)
    return changed
