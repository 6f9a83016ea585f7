"""Virtual keys: made, listed, changed, revoked, rotated, forgotten."""

from __future__ import annotations

from dataclasses import replace

from otari_daemon.control.actor import Actor
from otari_daemon.control.operations import find, values
from otari_daemon.control.operations.ceilings import Ceilings
from otari_daemon.control.operations.desk import Desk, Edit, changes
from otari_daemon.control.operations.grants import Grant, grant
from otari_daemon.control.operations.limits import key_edit, removal
from otari_daemon.control.operations.views import key_created, key_info
from otari_daemon.domain.budgets import Assignment, Holder, HolderKind
from otari_daemon.domain.errors import Conflict, NotFound
from otari_daemon.domain.keys import RANDOM_BYTES, VirtualKey, digest, mint, shown_prefix
from otari_daemon.domain.limits import KEY
from otari_daemon.domain.users import User
from otari_daemon.protocol.messages import UNSET, KeyCreate, KeyCreated, KeyInfo, KeyUpdate
from otari_daemon.store import budgets, users
from otari_daemon.store import keys as rows
from otari_daemon.store.database import Connection
from otari_daemon.store.keys import StoredKey

DEFAULT_USER = "default"
"""Whom a key bills that was made for nobody in particular."""


class Keys:
    """What an operator does with virtual keys; each change holds from the next request on."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @changes
    async def create(self, new: KeyCreate, actor: Actor, *, dry_run: bool) -> KeyCreated:
        """Mint a key, with its user and its budget where these are new."""
        desk, secret = self.desk, mint(self.desk.entropy(RANDOM_BYTES))
        key = self._draft(new, secret)
        metadata = values.metadata(new.metadata)
        known = desk.seats.users.get(key.user_id)
        user = known or User(key.user_id, key.created_ms, f"User {key.user_id}")
        given, limited = await self._granted(new.budget, key), key_edit(desk.seats, key, new)

        def write(con: Connection) -> Assignment | None:
            if known is None:
                users.insert(con, user)
            rows.insert(con, key, metadata)
            limited.write(con)
            return given.write(con) if given else None

        def remember(assignment: Assignment | None) -> None:
            if known is None:
                desk.seats.put_user(user)
            desk.seats.put_key(key)
            limited.remember(desk.seats)
            if given and assignment:
                desk.install(desk.ceilings.assigned(given.budget, assignment))

        await desk.apply(Edit("create_key", key.id, write, remember), actor, dry_run=dry_run)
        return key_created(key, metadata, None if dry_run else secret)

    async def listed(self, skip: int, limit: int) -> list[KeyInfo]:
        """Keys, revoked and expired ones too, oldest first."""
        ceilings = self.desk.ceilings
        found = await self.desk.read(rows.everything)
        return [self._shown(stored, ceilings) for stored in found[skip : skip + limit]]

    async def one(self, id: str) -> KeyInfo:
        """One key by id or name."""
        return self._shown(await self.desk.read(find.key, id), self.desk.ceilings)

    @changes
    async def update(self, id: str, change: KeyUpdate, actor: Actor, *, dry_run: bool) -> KeyInfo:
        """Change what is mentioned."""
        stored = await self.desk.read(find.key, id)
        metadata = stored.metadata if change.metadata is UNSET else values.metadata(change.metadata)
        changed = stored._replace(key=self._changed(stored.key, change), metadata=metadata)
        return await self._put("update_key", changed, change, actor, dry_run=dry_run)

    @changes
    async def revoke(self, id: str, actor: Actor, *, dry_run: bool) -> KeyInfo:
        """Make a key unusable; one that is revoked stays so since when it was."""
        stored = await self.desk.read(find.key, id)
        change = KeyUpdate(is_active=False)
        revoked = stored._replace(key=self._changed(stored.key, change))
        return await self._put("revoke_key", revoked, change, actor, dry_run=dry_run)

    @changes
    async def rotate(self, id: str, actor: Actor, *, dry_run: bool) -> KeyCreated:
        """Give a key a new secret; nothing else about it changes."""
        stored = await self.desk.read(find.key, id)
        secret = mint(self.desk.entropy(RANDOM_BYTES))
        key = replace(stored.key, digest=digest(secret.encode()), prefix=shown_prefix(secret))

        def write(con: Connection) -> bool:
            return rows.rotate(con, key.id, key.digest, key.prefix)

        def remember(_: bool) -> None:
            self.desk.seats.put_key(key)

        await self.desk.apply(Edit("rotate_key", key.id, write, remember), actor, dry_run=dry_run)
        return key_created(key, stored.metadata, None if dry_run else secret)

    @changes
    async def delete(self, id: str, actor: Actor, *, dry_run: bool) -> None:
        """Forget a key and take it off its budgets; its usage stays."""
        desk, key = self.desk, (await self.desk.read(find.key, id)).key
        held = desk.ceilings.of_holders(Holder(HolderKind.KEY, key.id))
        unlimited = removal(desk.seats, (KEY, key.id))

        def write(con: Connection) -> None:
            for each in held:
                budgets.unassign(con, each.budget_id, each.holder)
            unlimited.write(con)
            rows.delete(con, key.id)

        def remember(_: None) -> None:
            desk.seats.drop_key(key.id)
            unlimited.remember(desk.seats)
            if held:
                desk.install(desk.ceilings.without(held))

        await desk.apply(Edit("delete_key", key.id, write, remember), actor, dry_run=dry_run)

    def _draft(self, new: KeyCreate, secret: str) -> VirtualKey:
        user_id = DEFAULT_USER if new.user_id is None else values.label(new.user_id, "user_id")
        self._check_user(user_id)
        return VirtualKey(
            self.desk.new_id(),
            digest(secret.encode()),
            shown_prefix(secret),
            "" if new.key_name is None else values.label(new.key_name, "key_name"),
            user_id,
            self.desk.clock.now_ms(),
            None if new.expires_at is None else values.moment(new.expires_at, "expires_at"),
            None,
            values.patterns(new.allowed_models),
        )

    def _check_user(self, user_id: str) -> None:
        user = self.desk.seats.users.get(user_id)
        if user is not None and user.deleted_ms is not None:
            raise NotFound(f"User {user_id!r} has been deleted. Recreate via POST /v1/users first.")

    async def _granted(self, text: str | None, key: VirtualKey) -> Grant | None:
        if text is None:
            return None
        return await grant(self.desk, text, Holder(HolderKind.KEY, key.id), key.name or key.id)

    def _changed(self, key: VirtualKey, change: KeyUpdate) -> VirtualKey:
        if change.key_name is not UNSET:
            name = "" if change.key_name is None else values.label(change.key_name, "key_name")
            key = replace(key, name=name)
        if change.expires_at is not UNSET:
            expires = None if change.expires_at is None else values.moment(change.expires_at, "expires_at")
            key = replace(key, expires_ms=expires)
        if change.allowed_models is not UNSET:
            key = replace(key, models=values.patterns(change.allowed_models))
        if change.is_active is UNSET or change.is_active == (key.revoked_ms is None):
            return key
        return self._reactivated(key) if change.is_active else self._revoked(key)

    def _revoked(self, key: VirtualKey) -> VirtualKey:
        return replace(key, revoked_ms=self.desk.clock.now_ms())

    def _reactivated(self, key: VirtualKey) -> VirtualKey:
        if self.desk.seats.users[key.user_id].deleted_ms is not None:
            raise Conflict(f"user {key.user_id!r} of this key is deleted; create that user again first")
        return replace(key, revoked_ms=None)

    async def _put(
        self, action: str, stored: StoredKey, change: KeyUpdate, actor: Actor, *, dry_run: bool
    ) -> KeyInfo:
        limited = key_edit(self.desk.seats, stored.key, change)

        def write(con: Connection) -> None:
            rows.update(con, stored.key, stored.metadata)
            limited.write(con)

        def remember(_: None) -> None:
            self.desk.seats.put_key(stored.key)
            limited.remember(self.desk.seats)

        await self.desk.apply(Edit(action, stored.key.id, write, remember), actor, dry_run=dry_run)
        return key_info(self.desk, stored, self.desk.ceilings, limited.after)

    def _shown(self, stored: StoredKey, ceilings: Ceilings) -> KeyInfo:
        return key_info(self.desk, stored, ceilings, self.desk.seats.caps((KEY, stored.key.id)))
