"""Temporary raises: in effect with the next request, over by themselves; what was admitted stays."""

from __future__ import annotations

import pytest

from otari_daemon.control.actor import Actor
from otari_daemon.domain.errors import BudgetExceeded, Conflict, InvalidField, NotFound
from otari_daemon.protocol.messages import BudgetAssign, BudgetCreate, BudgetInfo, BudgetRaise, KeyCreate
from otari_daemon.store.verify import verify
from otari_daemon.telemetry.clock import rfc3339
from tests.control.world import ACTOR, DAY_MS, WAIT_S, World, reopened

HOUR_MS = 3_600_000
CENT = 10_000
"""Tokens at $1 per million."""


async def tight(world: World, budget: str = "0.01/day") -> str | None:
    """A key that can spend one cent a day."""
    return (await world.ops.create_key(KeyCreate("ci", budget=budget), ACTOR, dry_run=False)).key


async def lift(world: World, amount: str = "0.01", hours: int = 1, name: str = "key:ci") -> BudgetInfo:
    until = rfc3339(world.clock.ms + hours * HOUR_MS)
    return await world.ops.raise_budget(name, BudgetRaise(amount, until), ACTOR, dry_run=False)


async def proven(world: World) -> bool:
    await world.ledger.ticket().wait(WAIT_S)
    return (await world.store.read(verify)).clean


async def test_a_raise_holds_from_the_next_request_until_its_moment(world: World) -> None:
    secret = await tight(world)
    await world.spend(secret, CENT)
    with pytest.raises(BudgetExceeded):
        await world.admit(secret, 1)

    await lift(world)
    await world.spend(secret, CENT - 1)
    world.clock.ms += HOUR_MS - 1
    await world.spend(secret, 1)
    world.clock.ms += 1

    with pytest.raises(BudgetExceeded, match=r"of 0\.01 USD"):
        await world.admit(secret, 1)
    assert await proven(world)


async def test_a_raise_that_ends_stops_admissions_and_lets_open_holds_settle_whole(world: World) -> None:
    secret = await tight(world)
    await lift(world)
    running = await world.admit(secret, 2 * CENT)

    world.clock.ms += HOUR_MS

    with pytest.raises(BudgetExceeded):
        await world.admit(secret, 1)
    await world.settle(running, 2 * CENT)
    shown = await world.ops.budget("key:ci")
    assert (shown.holders[0].posted_usd, shown.holders[0].limit_usd) == ("0.02", "0.01")
    assert await proven(world)


async def test_a_raise_is_shown_with_who_and_why_and_can_be_taken_back(world: World) -> None:
    secret = await tight(world)
    await lift(world)
    shown = (await world.ops.budgets(0, 10))[0]

    assert (shown.limit_usd, shown.holders[0].limit_usd) == ("0.01", "0.02")
    (made,) = shown.raises
    assert (made.amount_usd, made.uid, made.reason) == ("0.01", ACTOR.uid, ACTOR.reason)
    assert made.until == rfc3339(world.clock.ms + HOUR_MS)

    await world.admit(secret, 2 * CENT)
    ended = await world.ops.end_raises("key:ci", ACTOR, dry_run=False)
    assert (ended.raises, ended.holders[0].limit_usd) == ((), "0.01")
    with pytest.raises(BudgetExceeded):
        await world.admit(secret, 1)
    with pytest.raises(NotFound, match="not raised now"):
        await world.ops.end_raises("key:ci", ACTOR, dry_run=False)


async def test_raises_survive_a_restart_and_end_after_it(world: World) -> None:
    secret = await tight(world)
    await lift(world)
    await world.spend(secret, CENT)

    async with reopened(world) as later:
        await later.spend(secret, CENT)
        assert [each.amount_usd for each in (await later.ops.budget("key:ci")).raises] == ["0.01"]
        later.clock.ms += HOUR_MS
        with pytest.raises(BudgetExceeded):
            await later.admit(secret, 1)
        assert (await later.ops.budget("key:ci")).raises == ()


async def test_raises_add_up_and_a_new_period_keeps_those_that_last(world: World) -> None:
    secret = await tight(world)
    await lift(world, hours=1)
    await lift(world, hours=48)
    await world.spend(secret, 3 * CENT)

    world.clock.ms += DAY_MS

    await world.spend(secret, 2 * CENT)
    with pytest.raises(BudgetExceeded):
        await world.admit(secret, 1)


async def test_a_holder_that_comes_under_a_raised_budget_has_the_raise(world: World) -> None:
    await world.ops.create_budget(BudgetCreate("team", "0.01"), ACTOR, dry_run=False)
    secret = (await world.ops.create_key(KeyCreate("ci"), ACTOR, dry_run=False)).key
    await lift(world, name="team")

    await world.ops.assign_budget("team", BudgetAssign("key", "ci"), ACTOR, dry_run=False)

    await world.admit(secret, 2 * CENT)


async def test_a_raise_names_its_budget_by_the_only_holder_too(world: World) -> None:
    await world.ops.create_budget(BudgetCreate("team", "0.01"), ACTOR, dry_run=False)
    for name in ("a", "b"):
        await world.ops.create_key(KeyCreate(name), ACTOR, dry_run=False)
    await world.ops.assign_budget("team", BudgetAssign("key", "a"), ACTOR, dry_run=False)

    assert (await lift(world, name="key:a")).name == "team"
    with pytest.raises(Conflict, match="under 0 budgets"):
        await lift(world, name="key:b")
    await world.ops.assign_budget("team", BudgetAssign("key", "b"), ACTOR, dry_run=False)
    with pytest.raises(Conflict, match="has 2 holders"):
        await lift(world, name="key:a")
    with pytest.raises(NotFound):
        await lift(world, name="key:nobody")


@pytest.mark.parametrize(
    ("amount", "until", "param"),
    [
        ("0", "2030-01-01T00:00:00Z", "amount"),
        ("-1", "2030-01-01T00:00:00Z", "amount"),
        ("1", "2020-01-01T00:00:00Z", "until"),
        ("1", "tomorrow", "until"),
    ],
)
async def test_a_raise_is_refused_by_field(world: World, amount: str, until: str, param: str) -> None:
    await tight(world)
    with pytest.raises(InvalidField) as refusal:
        await world.ops.raise_budget("key:ci", BudgetRaise(amount, until), ACTOR, dry_run=False)
    assert refusal.value.param == param


async def test_what_can_be_raised_is_bounded(world: World) -> None:
    await tight(world)
    with pytest.raises(Conflict, match="change its limit"):
        await lift(world, amount="200000001")
    for _ in range(20):
        await lift(world)
    with pytest.raises(Conflict, match="raised 20 times"):
        await lift(world)
    await world.ops.create_budget(BudgetCreate("endless"), Actor(1, 1), dry_run=False)
    with pytest.raises(Conflict, match="no limit to raise"):
        await lift(world, name="endless")
