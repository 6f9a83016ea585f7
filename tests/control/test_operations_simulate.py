"""A budget tried on the past refuses what the book would have refused, and nothing changes."""

from __future__ import annotations

import asyncio

import pytest

from otari_daemon.domain.errors import BudgetExceeded, InvalidField
from otari_daemon.domain.intent import Intent
from otari_daemon.protocol.messages import BudgetSimulate, KeyCreate, Simulation
from tests.control.world import ACTOR, CHAT, DAY_MS, World


async def key(world: World, name: str, user: str | None = None, budget: str | None = None) -> str | None:
    made = await world.ops.create_key(KeyCreate(name, user_id=user, budget=budget), ACTOR, dry_run=False)
    return made.key


async def simulate(world: World, holder: str, limit: str | None, **more: str) -> Simulation:
    world.clock.ms += 1
    asked = BudgetSimulate(holder, limit, **more)  # type: ignore[arg-type]
    return await world.ops.simulate_budget(asked)


async def test_a_live_budget_and_its_simulation_refuse_the_same_requests(world: World) -> None:
    free, limited = await key(world, "free"), await key(world, "limited", budget="0.001/day")
    live = []
    for number in range(12):
        world.clock.ms += DAY_MS // 5
        try:
            await world.spend(limited, 300 + number)
            live.append(True)
        except BudgetExceeded:
            live.append(False)
        await world.spend(free, 300 + number)

    told = await simulate(world, "key:free", "0.001", per="day")

    assert 0 < live.count(False) < 12
    assert (told.requests, told.refused) == (12, live.count(False))
    assert sum(each.refused for each in told.users) == told.refused
    assert told.complete


async def test_what_is_held_at_once_counts_like_what_was_spent(world: World) -> None:
    secret = await key(world, "ci")
    first, second = await world.admit(secret, 400), await world.admit(secret, 400)
    for each in (first, second):
        world.clock.ms += 10
        await world.settle(each, 1)
    await world.spend(secret, 400)

    told = await simulate(world, "key:ci", "0.0005")

    (holder,) = told.holders
    assert (holder.holder, holder.requests, holder.refused) == ("key:ci", 3, 1)
    assert (told.actual_usd, told.allowed_usd) == ("0.000402", "0.000401")
    assert told.first_refused_at == holder.first_refused_at is not None


async def test_watching_only_counts_and_lets_everything_pass(world: World) -> None:
    secret = await key(world, "ci")
    for _ in range(4):
        await world.spend(secret, 100)
        world.clock.ms += 1

    enforced = await simulate(world, "key:ci", "0.0002")
    watched = await simulate(world, "key:ci", "0.0002", mode="shadow")

    assert (enforced.refused, enforced.allowed_usd) == (2, "0.0002")
    assert (watched.refused, watched.allowed_usd) == (2, "0.0004")


async def test_holders_that_fit_have_a_balance_each_or_one_together(world: World) -> None:
    for name in ("ci-a", "ci-b", "bob"):
        secret = await key(world, name, user=name[:2])
        for _ in range(2):
            await world.spend(secret, 100)
            world.clock.ms += 1

    each = await simulate(world, "key:ci-*", "0.0002")
    pooled = await simulate(world, "key:ci-*", "0.0003", scope="pooled")
    users, everybody = await simulate(world, "user:*", "0.0002"), await simulate(world, "global", "0.0005")

    assert ([row.holder for row in each.holders], each.refused) == (["key:ci-a", "key:ci-b"], 0)
    assert ([row.holder for row in pooled.holders], pooled.refused) == (["key:ci-*"], 1)
    assert [(row.holder, row.refused) for row in users.holders] == [("user:ci", 2), ("user:bo", 0)]
    assert (everybody.requests, everybody.refused, everybody.keys[0].name) == (6, 1, "bob")


async def test_a_request_without_a_limit_is_judged_at_the_one_a_budget_gives_it(world: World) -> None:
    caller = await world.caller(await key(world, "ci"))
    unbounded = Intent("up:model", False, 100, 100, None)
    await world.settle(await world.plane.admit(caller, unbounded, world.name_request(), CHAT), 50)

    told = await simulate(world, "key:ci", "0.005")

    assert (told.requests, told.refused, told.rebounded) == (1, 0, 1)
    assert (await simulate(world, "key:ci", "0.004")).refused == 1


async def test_it_changes_nothing(world: World) -> None:
    await world.spend(await key(world, "ci"), 100)
    before, memory = world.dump(), world.memory()

    await simulate(world, "global", "0")

    assert (world.dump(), world.memory()) == (before, memory)


@pytest.mark.parametrize("holder", ["", "ci", "key:", "team:a", "global:x"])
async def test_a_holder_that_is_none_is_refused(world: World, holder: str) -> None:
    with pytest.raises(InvalidField):
        await simulate(world, holder, "1")


async def test_one_look_at_the_whole_books_at_a_time(world: World) -> None:
    looks = await asyncio.gather(*(simulate(world, "global", "1") for _ in range(3)), return_exceptions=True)

    assert sorted(type(each).__name__ for each in looks) == ["Overloaded", "Overloaded", "Simulation"]
    assert (await simulate(world, "global", "1")).requests == 0
