"""Freezes: a key or a user turned away for a while, and let in again."""

from __future__ import annotations

from otari_daemon.control.actor import Actor
from otari_daemon.control.operations import find, values
from otari_daemon.control.operations.ceilings import holder_text
from otari_daemon.control.operations.desk import Desk, Edit, changes
from otari_daemon.control.operations.views import maybe_time
from otari_daemon.domain.budgets import Holder
from otari_daemon.domain.errors import InvalidField, NotFound
from otari_daemon.domain.freezes import Freeze
from otari_daemon.protocol.messages import BudgetAssign, FreezeCreate, FreezeInfo
from otari_daemon.store import freezes as rows
from otari_daemon.store.database import Connection
from otari_daemon.telemetry.clock import rfc3339


class Freezes:
    """What an operator does about a leak; it holds from the next request on."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @changes
    async def add(self, new: FreezeCreate, actor: Actor, *, dry_run: bool) -> FreezeInfo:
        """Freeze a key or a user; one that is frozen is frozen anew. The reason is told to its callers."""
        desk, holder = self.desk, await self._holder(BudgetAssign(new.holder_kind, new.holder_id))
        now_ms = desk.clock.now_ms()
        until_ms = None if new.until is None else values.moment(new.until, "until")
        if until_ms is not None and until_ms <= now_ms:
            raise InvalidField("until must be in the future", param="until")
        reason = "" if actor.reason is None else values.label(actor.reason, "reason")
        made = Freeze(holder, until_ms, reason, now_ms, actor.uid)

        def write(con: Connection) -> None:
            rows.put(con, made)

        def remember(_: None) -> None:
            desk.seats.frozen[holder] = made

        edit = Edit("freeze", self._named(holder), write, remember)
        await desk.apply(edit, actor, dry_run=dry_run)
        return self._shown(made)

    @changes
    async def end(self, asked: BudgetAssign, actor: Actor, *, dry_run: bool) -> None:
        """Let a key or a user in again. Raises NotFound if it is not frozen."""
        desk, holder = self.desk, await self._holder(asked)
        frozen = desk.seats.frozen.get(holder)
        if frozen is None or not frozen.holds(desk.clock.now_ms()):
            raise NotFound(f"{self._named(holder)} is not frozen")

        def write(con: Connection) -> bool:
            return rows.remove(con, holder)

        def remember(_: bool) -> None:
            desk.seats.frozen.pop(holder, None)

        edit = Edit("unfreeze", self._named(holder), write, remember)
        await desk.apply(edit, actor, dry_run=dry_run)

    async def listed(self, skip: int, limit: int) -> list[FreezeInfo]:
        """Who is frozen now, longest first."""
        now_ms = self.desk.clock.now_ms()
        frozen = [each for each in self.desk.seats.frozen.values() if each.holds(now_ms)]
        frozen.sort(key=lambda each: (each.created_ms, each.holder))
        return [self._shown(each) for each in frozen[skip : skip + limit]]

    async def _holder(self, asked: BudgetAssign) -> Holder:
        if asked.holder_kind == "global":
            raise InvalidField("only a key or a user can be frozen", param="holder_kind")
        return await self.desk.read(find.holder, self.desk.seats.users, asked)

    def _named(self, holder: Holder) -> str:
        return holder_text(holder, self.desk.seats.name_of)

    def _shown(self, made: Freeze) -> FreezeInfo:
        until, created = maybe_time(made.until_ms), rfc3339(made.created_ms)
        return FreezeInfo(self._named(made.holder), until, made.reason, created, made.uid)
