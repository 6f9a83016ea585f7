"""Users: blocked, deleted, revived, and what their budgets do to the next request."""

from __future__ import annotations

import pytest

from otari_daemon.domain.errors import (
    BudgetExceeded,
    Conflict,
    InvalidField,
    NotFound,
    Unauthenticated,
    UserBlocked,
)
from otari_daemon.protocol.messages import BudgetCreate, KeyCreate, UserCreate, UserUpdate
from tests.control.world import ACTOR, World


async def test_a_blocked_user_is_refused_by_the_next_request_until_unblocked(
    world: World,
) -> None:
    made = await world.ops.create_key(KeyCreate("ci", user_id="ann"), ACTOR, dry_run=False)

    shown = await world.ops.update_user("ann", UserUpdate(blocked=True), ACTOR, dry_run=False)

    assert (shown.blocked, shown.alias) == (True, "User ann")
    with pytest.raises(UserBlocked):
        await world.admit(made.key, 10)
    await world.ops.update_user("ann", UserUpdate(blocked=False), ACTOR, dry_run=False)
    await world.admit(made.key, 10)


async def test_a_deleted_user_takes_their_keys_and_budgets_along_but_not_their_usage(world: World) -> None:
    await world.ops.create_user(UserCreate("ann", budget="5/day"), ACTOR, dry_run=False)
    made = await world.ops.create_key(KeyCreate("ci", user_id="ann"), ACTOR, dry_run=False)
    await world.spend(made.key, 1000)

    await world.ops.delete_user("ann", ACTOR, dry_run=False)

    with pytest.raises(Unauthenticated):
        await world.caller(made.key)
    assert await world.ops.users(0, 100) == []
    with pytest.raises(NotFound, match="User with id 'ann' not found"):
        await world.ops.user("ann")
    assert (await world.ops.key("ci")).status == "revoked"
    assert world.ledger.book.accounts[1].balance is not None
    await world.ops.delete_budget("user:ann", ACTOR, dry_run=False)


async def test_a_revived_user_begins_with_nothing_spent_and_its_keys_stay_revoked(world: World) -> None:
    await world.ops.create_user(UserCreate("ann", alias="Ann", metadata={"a": 1}), ACTOR, dry_run=False)
    made = await world.ops.create_key(KeyCreate("ci", user_id="ann"), ACTOR, dry_run=False)
    await world.spend(made.key, 1000)
    assert (await world.ops.user("ann")).spend_usd == "0.001"
    await world.ops.delete_user("ann", ACTOR, dry_run=False)
    world.clock.ms += 1

    revived = await world.ops.create_user(UserCreate("ann"), ACTOR, dry_run=False)

    assert (revived.alias, revived.metadata, revived.spend, revived.spend_usd) == (None, {}, 0.0, "0.00")
    assert (await world.ops.key("ci")).status == "revoked"
    with pytest.raises(Conflict, match="User with id 'ann' already exists"):
        await world.ops.create_user(UserCreate("ann"), ACTOR, dry_run=False)


async def test_a_user_shows_what_is_spent_and_what_is_held(world: World) -> None:
    await world.ops.create_user(UserCreate("ann", budget="5/day"), ACTOR, dry_run=False)
    made = await world.ops.create_key(KeyCreate("ci", user_id="ann"), ACTOR, dry_run=False)
    await world.spend(made.key, 2000)
    admission = await world.admit(made.key, 3000)
    assert await admission.opened.wait(10)

    shown = await world.ops.user("ann")

    assert (shown.spend_usd, shown.held_usd, shown.spend) == ("0.002", "0.003", 0.002)
    (use,) = shown.budgets
    assert (use.posted_usd, use.held_usd, use.holder) == ("0.002", "0.003", "user:ann")
    assert shown.budget_id == use.budget_id
    assert shown.next_budget_reset_at == "2025-06-16T00:00:00.000Z"
    assert await world.ops.users(0, 10) == [shown]


async def test_a_users_budget_covers_all_of_their_keys(world: World) -> None:
    await world.ops.create_user(UserCreate("ann", budget="0.003"), ACTOR, dry_run=False)
    first = await world.ops.create_key(KeyCreate("a", user_id="ann"), ACTOR, dry_run=False)
    second = await world.ops.create_key(KeyCreate("b", user_id="ann"), ACTOR, dry_run=False)

    await world.spend(first.key, 2000)

    with pytest.raises(BudgetExceeded):
        await world.admit(second.key, 1001)
    await world.admit(second.key, 1000)


async def test_budget_id_replaces_a_users_budgets_and_null_takes_them_off(world: World) -> None:
    for name in ("small", "large"):
        await world.ops.create_budget(BudgetCreate(name, "1"), ACTOR, dry_run=False)
    await world.ops.create_user(UserCreate("ann", budget_id="small"), ACTOR, dry_run=False)

    moved = await world.ops.update_user("ann", UserUpdate(budget_id="large"), ACTOR, dry_run=False)
    assert [use.name for use in moved.budgets] == ["large"]
    assert (await world.ops.budget("small")).holders == ()

    off = await world.ops.update_user("ann", UserUpdate(budget_id=None), ACTOR, dry_run=False)
    assert (off.budgets, off.budget_id) == ((), None)
    kept = await world.ops.update_user("ann", UserUpdate(alias="A"), ACTOR, dry_run=False)
    assert (kept.alias, kept.budgets) == ("A", ())


async def test_users_are_refused_by_field(world: World) -> None:
    await world.ops.create_user(UserCreate("ann"), ACTOR, dry_run=False)

    for new, param in (
        (UserCreate(""), "user_id"),
        (UserCreate("b", alias="\n"), "alias"),
        (UserCreate("b", budget="5", budget_id="x"), "budget"),
    ):
        with pytest.raises(InvalidField) as refusal:
            await world.ops.create_user(new, ACTOR, dry_run=False)
        assert refusal.value.param == param
    with pytest.raises(NotFound, match="Budget with id 'x' not found"):
        await world.ops.update_user("ann", UserUpdate(budget_id="x"), ACTOR, dry_run=False)
    with pytest.raises(NotFound, match="Budget with id '5/day' not found"):
        await world.ops.create_user(UserCreate("b", budget_id="5/day"), ACTOR, dry_run=False)
    with pytest.raises(NotFound, match="User with id 'bob' not found"):
        await world.ops.update_user("bob", UserUpdate(), ACTOR, dry_run=False)
