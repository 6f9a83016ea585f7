"""Budgets: what they are made of, whom they hold, and what a change does to the next request."""

from __future__ import annotations

import pytest

from otari_daemon.domain.errors import BudgetExceeded, Conflict, InvalidField, NotFound
from otari_daemon.protocol.messages import BudgetAssign, BudgetCreate, BudgetUpdate, KeyCreate, UserCreate
from tests.control.world import ACTOR, DOLLAR, World, reopened

EVERYBODY = BudgetAssign("global")


async def key(world: World, name: str, budget: str | None = None) -> str | None:
    """The secret of a new key."""
    return (await world.ops.create_key(KeyCreate(name, budget=budget), ACTOR, dry_run=False)).key


async def budget(world: World, name: str, amount: str | float | None, **more: object) -> str:
    """The id of a new budget."""
    made = await world.ops.create_budget(BudgetCreate(name, amount, **more), ACTOR, dry_run=False)  # type: ignore[arg-type]
    return made.budget_id


@pytest.mark.parametrize(
    ("given", "nano"),
    [(None, None), ("0", 0), ("$0.25", DOLLAR // 4), (0.1, DOLLAR // 10), (5.0, 5 * DOLLAR), (1e-9, 1)],
)
async def test_a_limit_is_read_exactly_from_text_or_number(
    world: World, given: str | float | None, nano: int | None
) -> None:
    await budget(world, "b", given)
    await world.ops.assign_budget("b", EVERYBODY, ACTOR, dry_run=False)

    assert world.ledger.book.accounts[1].limit == nano


@pytest.mark.parametrize(
    ("new", "param"),
    [
        (BudgetCreate("b", "-1"), "max_budget"),
        (BudgetCreate("b", -1.0), "max_budget"),
        (BudgetCreate("b", 1e-10), "max_budget"),
        (BudgetCreate("b", 1e300), "max_budget"),
        (BudgetCreate("b", "1", per="fortnight"), "per"),
        (BudgetCreate("b", "1", per="day", budget_duration_sec=5), "budget_duration_sec"),
        (BudgetCreate("b", "1", budget_duration_sec=5, reset_alignment="calendar_day"), "reset_alignment"),
        (BudgetCreate("b", "1", budget_duration_sec=0), "budget_duration_sec"),
        (BudgetCreate("b", "1", reset_alignment="calendar_year"), "reset_alignment"),
        (BudgetCreate("b", "1", per="day", time_zone="Europe"), "time_zone"),
        (BudgetCreate("b", "1", per="day", time_zone="../../etc/passwd"), "time_zone"),
        (BudgetCreate("b", "1", per="30d", time_zone="Europe/Oslo"), "time_zone"),
        (BudgetCreate("", "1"), "name"),
    ],
)
async def test_a_budget_is_refused_by_field(world: World, new: BudgetCreate, param: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        await world.ops.create_budget(new, ACTOR, dry_run=False)
    assert refusal.value.param == param


async def test_a_budget_shows_its_period_in_every_way_to_say_it(world: World) -> None:
    await budget(world, "lifetime", "1")
    await budget(world, "month", "1", reset_alignment="calendar_month")
    await budget(world, "days", "1", per="30d")
    await budget(world, "oslo", "1", per="week", time_zone="Europe/Oslo", mode="shadow", scope="pooled")

    shown = await world.ops.budgets(0, 100)

    periods = [(each.per, each.time_zone, each.budget_duration_sec, each.reset_alignment) for each in shown]
    assert sorted(periods, key=str) == [
        ("2592000s", None, 2_592_000, None),
        ("lifetime", None, None, None),
        ("month", "UTC", None, "calendar_month"),
        ("week", "Europe/Oslo", None, "calendar_week"),
    ]
    oslo = await world.ops.budget("oslo")
    assert (oslo.mode, oslo.scope, oslo.max_budget, oslo.limit_usd) == ("shadow", "pooled", 1.0, "1.00")


async def test_names_of_budgets_are_unique_while_they_live(world: World) -> None:
    await budget(world, "b", "1")
    other = await budget(world, "c", "1")

    with pytest.raises(Conflict):
        await budget(world, "b", "1")
    with pytest.raises(Conflict):
        await world.ops.update_budget(other, BudgetUpdate(name="b"), ACTOR, dry_run=False)
    await world.ops.delete_budget("b", ACTOR, dry_run=False)
    await world.ops.update_budget(other, BudgetUpdate(name="b"), ACTOR, dry_run=False)
    with pytest.raises(NotFound, match="Budget with id 'c' not found"):
        await world.ops.budget("c")


async def test_each_holder_has_the_whole_amount_unless_it_is_pooled(world: World) -> None:
    secrets = [await key(world, name) for name in ("a", "b")]
    await budget(world, "each", "0.003")
    await budget(world, "pool", "0.005", scope="pooled")
    for name in ("each", "pool"):
        for holder in ("a", "b"):
            await world.ops.assign_budget(name, BudgetAssign("key", holder), ACTOR, dry_run=False)

    await world.spend(secrets[0], 3000)

    with pytest.raises(BudgetExceeded, match="each"):
        await world.admit(secrets[0], 1)
    with pytest.raises(BudgetExceeded, match="pool"):
        await world.admit(secrets[1], 2001)
    await world.spend(secrets[1], 2000)
    assert [use.posted_usd for use in (await world.ops.budget("each")).holders] == ["0.003", "0.002"]
    assert [use.posted_usd for use in (await world.ops.budget("pool")).holders] == ["0.005", "0.005"]


async def test_zero_blocks_what_costs_anything_and_null_blocks_nothing(world: World) -> None:
    secret = await key(world, "a", "0")
    with pytest.raises(BudgetExceeded):
        await world.admit(secret, 1)

    change = BudgetUpdate(max_budget=None)
    assert (await world.ops.update_budget("key:a", change, ACTOR, dry_run=False)).limit_usd is None
    await world.spend(secret, 10**9)


async def test_a_limit_lowered_below_what_is_spent_blocks_at_once_and_raised_admits_at_once(
    world: World,
) -> None:
    secret = await key(world, "a", "5")
    held = await world.admit(secret, 2000)
    await world.spend(secret, 1000)

    lowered = await world.ops.update_budget("key:a", BudgetUpdate(max_budget="0.001"), ACTOR, dry_run=False)

    assert (lowered.holders[0].posted_usd, lowered.holders[0].limit_usd) == ("0.001", "0.001")
    with pytest.raises(BudgetExceeded):
        await world.admit(secret, 1)
    await world.settle(held, 2000)
    await world.ops.update_budget("key:a", BudgetUpdate(max_budget=0.004), ACTOR, dry_run=False)
    await world.spend(secret, 1000)
    assert (await world.ops.verify()).ok


async def test_shadow_mode_only_watches_from_the_next_request_on(world: World) -> None:
    secret = await key(world, "a", "0.001")
    await world.ops.update_budget("key:a", BudgetUpdate(mode="shadow"), ACTOR, dry_run=False)

    await world.spend(secret, 5000)

    (use,) = (await world.ops.budget("key:a")).holders
    assert (use.posted_usd, use.mode) == ("0.005", "shadow")
    await world.ops.update_budget("key:a", BudgetUpdate(mode="enforce"), ACTOR, dry_run=False)
    with pytest.raises(BudgetExceeded):
        await world.admit(secret, 1)


async def test_a_budget_cannot_be_deleted_while_it_is_held(world: World) -> None:
    secret = await key(world, "a", "1")
    await world.ops.create_user(UserCreate("ann", budget="key:a"), ACTOR, dry_run=False)

    with pytest.raises(Conflict, match="key:a, user:ann"):
        await world.ops.delete_budget("key:a", ACTOR, dry_run=False)

    await world.ops.unassign_budget("key:a", BudgetAssign("key", "a"), ACTOR, dry_run=False)
    await world.ops.unassign_budget("key:a", BudgetAssign("user", "ann"), ACTOR, dry_run=False)
    await world.ops.delete_budget("key:a", ACTOR, dry_run=False)
    await world.spend(secret, 5000)
    assert await world.ops.budgets(0, 100) == []


async def test_a_holder_that_comes_back_finds_what_it_had_spent(world: World) -> None:
    secret = await key(world, "a", "0.003/day")
    assigned = BudgetAssign("key", "a")
    await world.spend(secret, 2000)

    await world.ops.unassign_budget("key:a", assigned, ACTOR, dry_run=False)
    await world.spend(secret, 9000)
    back = await world.ops.assign_budget("key:a", assigned, ACTOR, dry_run=False)

    assert [use.posted_usd for use in back.holders] == ["0.002"]
    with pytest.raises(BudgetExceeded):
        await world.admit(secret, 1001)
    await world.spend(secret, 1000)
    async with reopened(world) as later:
        await later.ops.unassign_budget("key:a", assigned, ACTOR, dry_run=False)
        again = await later.ops.assign_budget("key:a", assigned, ACTOR, dry_run=False)
        assert [use.posted_usd for use in again.holders] == ["0.003"]


async def test_assigning_needs_somebody_who_is_there(world: World) -> None:
    await budget(world, "b", "1")

    for holder in (BudgetAssign("key", "a"), BudgetAssign("user", "ann")):
        with pytest.raises(NotFound):
            await world.ops.assign_budget("b", holder, ACTOR, dry_run=False)
    for holder in (BudgetAssign("key"), BudgetAssign("global", "x")):
        with pytest.raises(InvalidField):
            await world.ops.assign_budget("b", holder, ACTOR, dry_run=False)
    with pytest.raises(NotFound, match="global is not under budget 'b'"):
        await world.ops.unassign_budget("b", EVERYBODY, ACTOR, dry_run=False)
    first = await world.ops.assign_budget("b", EVERYBODY, ACTOR, dry_run=False)
    assert await world.ops.assign_budget("b", EVERYBODY, ACTOR, dry_run=False) == first


async def test_an_overage_blocks_until_it_is_acknowledged(world: World) -> None:
    secret = await key(world, "a", "5")
    await world.settle(await world.admit(secret, 1000), 4000)
    with pytest.raises(BudgetExceeded, match="an operator must look"):
        await world.admit(secret, 1)

    shown = await world.ops.acknowledge_overage("key:a", ACTOR, dry_run=False)

    assert shown.holders[0].overage_usd == "0.003"
    await world.spend(secret, 1000)
    async with reopened(world) as later:
        await later.spend(secret, 1000)
        assert (await later.ops.verify()).ok
