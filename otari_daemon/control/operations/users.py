"""Users: whom keys bill; made, listed, changed, deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from otari_daemon.control.actor import Actor
from otari_daemon.control.operations import find, values
from otari_daemon.control.operations.ceilings import Ceilings
from otari_daemon.control.operations.desk import Desk, Edit, changes
from otari_daemon.control.operations.grants import Grant, grant, grant_of
from otari_daemon.control.operations.limits import removal, user_edit
from otari_daemon.control.operations.views import user_info
from otari_daemon.domain.budgets import Assignment, Holder, HolderKind
from otari_daemon.domain.errors import Conflict, InvalidField
from otari_daemon.domain.keys import VirtualKey
from otari_daemon.domain.limits import USER, Caps
from otari_daemon.domain.money import ZERO, Nano
from otari_daemon.domain.users import User
from otari_daemon.protocol.messages import UNSET, UserCreate, UserInfo, UserUpdate
from otari_daemon.store import budgets, keys, usage
from otari_daemon.store import users as rows
from otari_daemon.store.cells import Series
from otari_daemon.store.database import Connection, Session
from otari_daemon.store.reports import Group, Question, gather


class Users:
    """What an operator does with users; each change holds from the next request on."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @changes
    async def create(self, new: UserCreate, actor: Actor, *, dry_run: bool) -> UserInfo:
        """Make a user, or revive a deleted one as if new; the keys it had stay revoked."""
        desk, user = self.desk, self._draft(new)
        given, limited = await self._granted(new, user), user_edit(desk.seats, user.id, new)

        def write(con: Connection) -> Assignment | None:
            rows.insert(con, user)
            limited.write(con)
            return given.write(con) if given else None

        def remember(assignment: Assignment | None) -> None:
            desk.seats.put_user(user)
            limited.remember(desk.seats)
            if given:
                desk.install(_after(desk.ceilings, given, assignment))

        assignment = await desk.apply(Edit("create_user", user.id, write, remember), actor, dry_run=dry_run)
        return await self._shown(user, _after(desk.ceilings, given, assignment), limited.after)

    async def listed(self, skip: int, limit: int) -> list[UserInfo]:
        """Users that are not deleted, oldest first."""
        desk = self.desk
        living = [user for user in desk.seats.users.values() if user.deleted_ms is None]
        page = sorted(living, key=lambda user: (user.created_ms, user.id))[skip : skip + limit]
        ceilings, spending = desk.ceilings, await desk.read(_spending, page)
        return [
            user_info(desk, user, spent_and_held, ceilings, desk.seats.caps((USER, user.id)))
            for user, spent_and_held in zip(page, spending, strict=True)
        ]

    async def one(self, id: str) -> UserInfo:
        """One user that is not deleted."""
        user = find.user(self.desk.seats.users, id)
        return await self._shown(user, self.desk.ceilings, self.desk.seats.caps((USER, user.id)))

    @changes
    async def update(self, id: str, change: UserUpdate, actor: Actor, *, dry_run: bool) -> UserInfo:
        """Change what is mentioned; `budget_id` replaces all the user's own budgets, null takes them off."""
        desk = self.desk
        user = _changed(find.user(desk.seats.users, id), change)
        user = replace(user, updated_ms=desk.clock.now_ms())
        wanted, holder = change.budget_id, _holder(user)
        given = await grant_of(desk, wanted, holder) if isinstance(wanted, str) else None
        gone = [] if wanted is UNSET else desk.ceilings.of_holders(holder)
        limited = user_edit(desk.seats, user.id, change)

        def write(con: Connection) -> Assignment | None:
            rows.update(con, user)
            limited.write(con)
            for each in gone:
                budgets.unassign(con, each.budget_id, holder)
            return given.write(con) if given else None

        def remember(assignment: Assignment | None) -> None:
            desk.seats.put_user(user)
            limited.remember(desk.seats)
            if gone or given:
                desk.install(_after(desk.ceilings.without(gone), given, assignment))

        assignment = await desk.apply(Edit("update_user", user.id, write, remember), actor, dry_run=dry_run)
        return await self._shown(user, _after(desk.ceilings.without(gone), given, assignment), limited.after)

    @changes
    async def delete(self, id: str, actor: Actor, *, dry_run: bool) -> None:
        """Delete a user, revoke their keys and take them off their budgets; usage stays."""
        desk, now_ms = self.desk, self.desk.clock.now_ms()
        user = find.user(desk.seats.users, id)
        held = desk.ceilings.of_holders(_holder(user))
        active = await desk.read(_active_keys, user.id)
        unlimited = removal(desk.seats, (USER, user.id))

        def write(con: Connection) -> None:
            rows.delete(con, user.id, now_ms)
            unlimited.write(con)
            for key in active:
                keys.revoke(con, key.id, now_ms)
            for each in held:
                budgets.unassign(con, each.budget_id, each.holder)

        def remember(_: None) -> None:
            desk.seats.put_user(replace(user, deleted_ms=now_ms))
            unlimited.remember(desk.seats)
            for key in active:
                desk.seats.put_key(replace(key, revoked_ms=now_ms))
            if held:
                desk.install(desk.ceilings.without(held))

        await desk.apply(Edit("delete_user", user.id, write, remember), actor, dry_run=dry_run)

    def _draft(self, new: UserCreate) -> User:
        user_id = values.label(new.user_id, "user_id")
        known = self.desk.seats.users.get(user_id)
        if known is not None and known.deleted_ms is None:
            raise Conflict(f"User with id {user_id!r} already exists")
        alias = None if new.alias is None else values.label(new.alias, "alias")
        now_ms = self.desk.clock.now_ms()
        return User(user_id, now_ms, alias, new.blocked, metadata=values.metadata(new.metadata))

    async def _granted(self, new: UserCreate, user: User) -> Grant | None:
        if new.budget is not None and new.budget_id is not None:
            raise InvalidField("give budget or budget_id, not both", param="budget")
        if new.budget is not None:
            return await grant(self.desk, new.budget, _holder(user), user.id)
        return None if new.budget_id is None else await grant_of(self.desk, new.budget_id, _holder(user))

    async def _shown(self, user: User, ceilings: Ceilings, caps: Caps) -> UserInfo:
        (spending,) = await self.desk.read(_spending, [user])
        return user_info(self.desk, user, spending, ceilings, caps)


def _holder(user: User) -> Holder:
    return Holder(HolderKind.USER, user.id)


def _changed(user: User, change: UserUpdate) -> User:
    if change.alias is not UNSET:
        user = replace(user, alias=None if change.alias is None else values.label(change.alias, "alias"))
    if change.blocked is not UNSET:
        user = replace(user, blocked=change.blocked)
    if change.metadata is not UNSET:
        user = replace(user, metadata=values.metadata(change.metadata))
    return user


def _after(ceilings: Ceilings, given: Grant | None, assignment: Assignment | None) -> Ceilings:
    """Ceilings with what was granted, if anything was."""
    return ceilings.assigned(given.budget, assignment) if given and assignment else ceilings


def _active_keys(session: Session, user_id: str) -> list[VirtualKey]:
    found = (stored.key for stored in keys.everything(session))
    return [key for key in found if key.user_id == user_id and key.revoked_ms is None]


def _spending(session: Session, shown: Sequence[User]) -> list[tuple[Nano, Nano]]:
    """For each user: what was charged since they were created, and what is held now."""
    held: dict[str, int] = {}
    for row in usage.open_holds(session):
        held[row.user_id] = held.get(row.user_id, 0) + row.held
    of_all = _spent_since(session, 0, {user.id for user in shown})
    return [(_spent(session, user, of_all), Nano(held.get(user.id, ZERO))) for user in shown]


def _spent(session: Session, user: User, of_all: Mapping[str, int]) -> Nano:
    earlier = usage.Filter(user_id=user.id, until_ms=user.created_ms)
    if usage.rows(session, earlier, 1):  # of a user who was deleted and revived
        of_all = _spent_since(session, user.created_ms, {user.id})
    return Nano(of_all.get(user.id, 0))


def _spent_since(session: Session, since_ms: int, ids: Set[str]) -> dict[str, int]:
    def place(series: Series) -> Group | None:
        return (series.user_id,) if series.user_id in ids else None

    found = gather(session, Question(since_ms, usage.END_MS, place))
    return {user_id: sums.counts.cost for (_, (user_id,)), sums in found.items()}
