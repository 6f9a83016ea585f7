"""Keys: what an operator sees, and what the next request meets."""

from __future__ import annotations

import pytest

from otari_daemon.domain.errors import (
    BudgetExceeded,
    Conflict,
    InvalidField,
    ModelNotAllowed,
    NotFound,
    Unauthenticated,
)
from otari_daemon.domain.keys import digest, well_formed
from otari_daemon.protocol.messages import BudgetCreate, KeyCreate, KeyUpdate, UserCreate, UserUpdate
from otari_daemon.store import keys
from tests.control.world import ACTOR, DAY_MS, START_MS, World


async def test_a_created_key_works_at_once_and_only_its_digest_is_stored(world: World) -> None:
    made = await world.ops.create_key(KeyCreate("ci"), ACTOR, dry_run=False)

    assert made.key is not None
    assert well_formed(made.key)
    assert made.key_prefix == made.key[:10]
    assert (await world.caller(made.key)).key_id == made.id
    (stored,) = await world.store.read(keys.everything)
    assert stored.key.digest == digest(made.key.encode())
    assert not any(made.key in line for line in world.dump())


async def test_keys_for_nobody_in_particular_share_the_user_default(world: World) -> None:
    first = await world.ops.create_key(KeyCreate("a"), ACTOR, dry_run=False)
    second = await world.ops.create_key(KeyCreate("b"), ACTOR, dry_run=False)

    assert (first.user_id, second.user_id) == ("default", "default")
    assert [user.user_id for user in await world.ops.users(0, 100)] == ["default"]


async def test_an_unknown_user_is_created_with_the_key_and_a_deleted_one_is_not_found(world: World) -> None:
    await world.ops.create_key(KeyCreate("a", user_id="ann"), ACTOR, dry_run=False)
    assert (await world.ops.user("ann")).alias == "User ann"
    await world.ops.delete_user("ann", ACTOR, dry_run=False)

    with pytest.raises(NotFound, match="User 'ann' has been deleted"):
        await world.ops.create_key(KeyCreate("b", user_id="ann"), ACTOR, dry_run=False)


async def test_a_name_that_several_keys_have_is_a_conflict_that_lists_their_ids(world: World) -> None:
    made = [await world.ops.create_key(KeyCreate("ci"), ACTOR, dry_run=False) for _ in range(2)]

    with pytest.raises(Conflict) as refusal:
        await world.ops.revoke_key("ci", ACTOR, dry_run=False)

    assert all(key.id in refusal.value.message for key in made)
    assert (await world.ops.key(made[0].id)).is_active
    with pytest.raises(NotFound, match="API key with id 'nope' not found"):
        await world.ops.key("nope")


async def test_a_revoked_key_is_refused_by_the_next_request_and_can_be_reactivated(world: World) -> None:
    made = await world.ops.create_key(KeyCreate("ci"), ACTOR, dry_run=False)

    shown = await world.ops.revoke_key("ci", ACTOR, dry_run=False)

    assert (shown.status, shown.is_active) == ("revoked", False)
    with pytest.raises(Unauthenticated):
        await world.caller(made.key)
    again = await world.ops.update_key("ci", KeyUpdate(is_active=True), ACTOR, dry_run=False)
    assert again.status == "active"
    assert (await world.caller(made.key)).key_id == made.id


async def test_a_key_of_a_deleted_user_cannot_be_reactivated(world: World) -> None:
    made = await world.ops.create_key(KeyCreate("ci", user_id="ann"), ACTOR, dry_run=False)
    await world.ops.delete_user("ann", ACTOR, dry_run=False)

    with pytest.raises(Conflict, match="deleted"):
        await world.ops.update_key("ci", KeyUpdate(is_active=True), ACTOR, dry_run=False)
    with pytest.raises(Unauthenticated):
        await world.caller(made.key)


async def test_a_rotated_secret_is_dead_at_once_and_the_key_is_otherwise_the_same(world: World) -> None:
    old = await world.ops.create_key(KeyCreate("ci", budget="5/day"), ACTOR, dry_run=False)
    await world.spend(old.key, 1000)

    new = await world.ops.rotate_key("ci", ACTOR, dry_run=False)

    assert new.id == old.id
    assert new.key != old.key
    with pytest.raises(Unauthenticated):
        await world.caller(old.key)
    await world.spend(new.key, 1000)
    (use,) = (await world.ops.key("ci")).budgets
    assert use.posted_usd == "0.002"


async def test_a_deleted_key_is_gone_but_its_usage_stays(world: World) -> None:
    made = await world.ops.create_key(KeyCreate("ci", budget="5/day"), ACTOR, dry_run=False)
    await world.spend(made.key, 1000)

    await world.ops.delete_key("ci", ACTOR, dry_run=False)

    with pytest.raises(Unauthenticated):
        await world.caller(made.key)
    with pytest.raises(NotFound):
        await world.ops.key(made.id)
    (row,) = await world.store.read(lambda s: s.con.execute("SELECT key_id, posted_n FROM hold").fetchall())
    assert row == (made.id, 1_000_000)
    await world.ops.delete_budget("key:ci", ACTOR, dry_run=False)


async def test_an_update_changes_only_what_it_mentions_and_null_clears(world: World) -> None:
    new = KeyCreate("ci", "ann", "2030-01-01T00:00:00Z", {"team": 1}, ("up:*",))
    made = await world.ops.create_key(new, ACTOR, dry_run=False)

    renamed = await world.ops.update_key(made.id, KeyUpdate(key_name="cd"), ACTOR, dry_run=False)
    assert renamed.key_name == "cd"
    assert renamed.expires_at == "2030-01-01T00:00:00.000Z"
    assert (renamed.metadata, renamed.allowed_models) == ({"team": 1}, ("up:*",))

    nulls = KeyUpdate(key_name=None, expires_at=None, allowed_models=None)
    cleared = await world.ops.update_key(made.id, nulls, ACTOR, dry_run=False)
    assert (cleared.key_name, cleared.expires_at, cleared.allowed_models) == (None, None, None)
    assert cleared == await world.ops.key(made.id)


async def test_expiry_and_allowed_models_hold_from_the_next_request_on(world: World) -> None:
    made = await world.ops.create_key(KeyCreate("ci"), ACTOR, dry_run=False)
    await world.admit(made.key, 10)

    change = KeyUpdate(allowed_models=("fake:*",), expires_at="2025-06-16T00:00:00Z")
    await world.ops.update_key("ci", change, ACTOR, dry_run=False)

    with pytest.raises(ModelNotAllowed):
        await world.admit(made.key, 10)
    await world.admit(made.key, 10, "fake:echo")
    world.clock.ms = START_MS + DAY_MS
    assert (await world.ops.key("ci")).status == "expired"
    with pytest.raises(Unauthenticated):
        await world.caller(made.key)


async def test_a_budget_in_shorthand_is_made_for_the_key_under_a_name_of_its_own(world: World) -> None:
    made = await world.ops.create_key(KeyCreate("ci", budget="0.002/day@Europe/Oslo"), ACTOR, dry_run=False)
    await world.ops.create_key(KeyCreate("ci", budget="7"), ACTOR, dry_run=False)

    first, second = await world.ops.budgets(0, 100)
    assert (first.name, second.name) == ("key:ci", "key:ci-2")
    assert (first.limit_usd, first.per, first.time_zone) == ("0.002", "day", "Europe/Oslo")
    assert [use.holder for use in first.holders] == ["key:ci"]
    await world.spend(made.key, 1500)
    with pytest.raises(BudgetExceeded, match="key:ci"):
        await world.admit(made.key, 501)


async def test_a_budget_that_is_there_is_given_by_name_or_id(world: World) -> None:
    team = await world.ops.create_budget(BudgetCreate("team", "5"), ACTOR, dry_run=False)

    await world.ops.create_key(KeyCreate("a", budget="team"), ACTOR, dry_run=False)
    await world.ops.create_key(KeyCreate("b", budget=team.budget_id), ACTOR, dry_run=False)

    holders = (await world.ops.budget("team")).holders
    assert [use.holder for use in holders] == ["key:a", "key:b"]
    with pytest.raises(NotFound, match="Budget with id 'none' not found"):
        await world.ops.create_key(KeyCreate("c", budget="none"), ACTOR, dry_run=False)
    assert len(await world.ops.keys(0, 100)) == 2


@pytest.mark.parametrize(
    ("new", "param"),
    [
        (KeyCreate(""), "key_name"),
        (KeyCreate("a\x1b[2J"), "key_name"),
        (KeyCreate("x" * 201), "key_name"),
        (KeyCreate(user_id=" ann"), "user_id"),
        (KeyCreate(expires_at="soon"), "expires_at"),
        (KeyCreate(expires_at="0001-01-01T00:00:00+23:00"), "expires_at"),
        (KeyCreate(expires_at="9999-12-31T23:59:59-23:00"), "expires_at"),
        (KeyCreate(allowed_models=("gpt-4o",)), "allowed_models"),
        (KeyCreate(allowed_models=("up:",)), "allowed_models"),
        (KeyCreate(allowed_models=("up:a*b",)), "allowed_models"),
        (KeyCreate(metadata={"a": "x" * 20_000}), "metadata"),
        (KeyCreate(budget="5/day@Mars/Olympus"), "budget"),
        (KeyCreate(budget="99999999999"), "budget"),
    ],
)
async def test_a_field_that_is_wrong_is_refused_by_name_and_nothing_is_made(
    world: World, new: KeyCreate, param: str
) -> None:
    before = world.dump()

    with pytest.raises(InvalidField) as refusal:
        await world.ops.create_key(new, ACTOR, dry_run=False)

    assert refusal.value.param == param
    assert world.dump() == before


async def test_an_empty_list_of_models_allows_none(world: World) -> None:
    made = await world.ops.create_key(KeyCreate("ci", allowed_models=()), ACTOR, dry_run=False)

    with pytest.raises(ModelNotAllowed):
        await world.admit(made.key, 10)


async def test_a_key_of_a_blocked_user_keeps_that_user_through_changes_of_either(world: World) -> None:
    await world.ops.create_user(UserCreate("ann"), ACTOR, dry_run=False)
    made = await world.ops.create_key(KeyCreate("ci", user_id="ann"), ACTOR, dry_run=False)
    await world.ops.update_user("ann", UserUpdate(blocked=True), ACTOR, dry_run=False)

    await world.ops.update_key("ci", KeyUpdate(metadata={}), ACTOR, dry_run=False)

    assert (await world.caller(made.key)).seat.user.blocked
