"""A dry run is judged in full and moves nothing; a change is committed before it is remembered."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable

import pytest

from otari_daemon.control.operations.desk import Desk
from otari_daemon.domain.errors import Conflict, LedgerUnavailable, NotFound, Overloaded, Unauthenticated
from otari_daemon.protocol.messages import (
    BudgetAssign,
    BudgetCreate,
    BudgetRaise,
    BudgetUpdate,
    FreezeCreate,
    KeyCreate,
    KeyUpdate,
    UserCreate,
    UserUpdate,
)
from tests.control.world import ACTOR, WAIT_S, World

KEY, USER = BudgetAssign("key", "ci"), BudgetAssign("user", "ann")
Doing = Callable[[World, bool], Awaitable[object]]

CHANGES: dict[str, Doing] = {
    "create_key": lambda w, dry: w.ops.create_key(
        KeyCreate("new", user_id="bob", budget="5/day"), ACTOR, dry_run=dry
    ),
    "update_key": lambda w, dry: w.ops.update_key("ci", KeyUpdate(key_name="x"), ACTOR, dry_run=dry),
    "revoke_key": lambda w, dry: w.ops.revoke_key("ci", ACTOR, dry_run=dry),
    "rotate_key": lambda w, dry: w.ops.rotate_key("ci", ACTOR, dry_run=dry),
    "delete_key": lambda w, dry: w.ops.delete_key("ci", ACTOR, dry_run=dry),
    "create_user": lambda w, dry: w.ops.create_user(UserCreate("bob", budget="5/day"), ACTOR, dry_run=dry),
    "update_user": lambda w, dry: w.ops.update_user(
        "ann", UserUpdate(blocked=True, budget_id="spare"), ACTOR, dry_run=dry
    ),
    "delete_user": lambda w, dry: w.ops.delete_user("ann", ACTOR, dry_run=dry),
    "create_budget": lambda w, dry: w.ops.create_budget(BudgetCreate("new", "1"), ACTOR, dry_run=dry),
    "update_budget": lambda w, dry: w.ops.update_budget(
        "key:ci", BudgetUpdate(name="n", max_budget="0", per="week", mode="shadow"), ACTOR, dry_run=dry
    ),
    "raise_budget": lambda w, dry: w.ops.raise_budget(
        "key:ci", BudgetRaise("5", "2030-01-01T00:00:00Z"), ACTOR, dry_run=dry
    ),
    "freeze": lambda w, dry: w.ops.freeze(FreezeCreate("key", "ci"), ACTOR, dry_run=dry),
    "delete_budget": lambda w, dry: w.ops.delete_budget("spare", ACTOR, dry_run=dry),
    "assign_budget": lambda w, dry: w.ops.assign_budget("spare", USER, ACTOR, dry_run=dry),
    "unassign_budget": lambda w, dry: w.ops.unassign_budget("key:ci", KEY, ACTOR, dry_run=dry),
    "acknowledge_overage": lambda w, dry: w.ops.acknowledge_overage("key:ci", ACTOR, dry_run=dry),
}


async def furnish(world: World) -> None:
    """A key `ci` of `ann` under a budget with an overage, and a budget that nobody holds."""
    await world.ops.create_budget(BudgetCreate("spare", "1"), ACTOR, dry_run=False)
    made = await world.ops.create_key(KeyCreate("ci", user_id="ann", budget="5/day"), ACTOR, dry_run=False)
    await world.settle(await world.admit(made.key, 1000), 2000)


@pytest.mark.parametrize("action", sorted(CHANGES))
async def test_a_dry_run_moves_nothing(world: World, action: str, caplog: pytest.LogCaptureFixture) -> None:
    await furnish(world)
    caplog.set_level(logging.INFO, "otari.audit")
    before, remembered = world.dump(), world.memory()

    await CHANGES[action](world, True)

    assert world.dump() == before
    assert world.memory() == remembered
    assert caplog.records == []


@pytest.mark.parametrize("action", sorted(CHANGES))
async def test_a_change_moves_something_and_leaves_one_audit_line(
    world: World, action: str, caplog: pytest.LogCaptureFixture
) -> None:
    await furnish(world)
    caplog.set_level(logging.INFO, "otari.audit")
    before = world.dump()

    made = await CHANGES[action](world, False)

    assert world.dump() != before
    (record,) = caplog.records
    line = record.getMessage()
    assert line.startswith(f"action={action} target=")
    assert line.endswith('uid=1000 pid=4321 reason="because"')
    assert (getattr(made, "key", None) or "gw-") not in line


@pytest.mark.parametrize("action", ["assign_budget", "unassign_budget", "revoke_key"])
async def test_a_dry_run_answers_as_if_the_change_were_made(world: World, action: str) -> None:
    await furnish(world)

    assert await CHANGES[action](world, True) == await CHANGES[action](world, False)


async def test_a_dry_run_of_a_new_budget_shows_it_as_it_would_be(world: World) -> None:
    await furnish(world)
    world.clock.ms += 1000
    change = BudgetUpdate(max_budget="0", per="week", mode="shadow")

    tried = await world.ops.update_budget("key:ci", change, ACTOR, dry_run=True)

    assert tried == await world.ops.update_budget("key:ci", change, ACTOR, dry_run=False)
    assert (tried.holders[0].posted_usd, tried.holders[0].limit_usd) == ("0.00", "0.00")
    user = await world.ops.create_user(UserCreate("bob", budget="5/day"), ACTOR, dry_run=True)
    assert [use.limit_usd for use in user.budgets] == ["5.00"]


async def test_a_dry_run_has_no_secret_and_refuses_what_the_change_would(world: World) -> None:
    await furnish(world)

    for made in (
        await world.ops.create_key(KeyCreate("new"), ACTOR, dry_run=True),
        await world.ops.rotate_key("ci", ACTOR, dry_run=True),
    ):
        assert (made.key, made.key_prefix) == (None, None)
    with pytest.raises(Conflict):
        await world.ops.create_user(UserCreate("ann"), ACTOR, dry_run=True)
    with pytest.raises(Conflict):
        await world.ops.delete_budget("key:ci", ACTOR, dry_run=True)
    with pytest.raises(NotFound):
        await world.ops.create_key(KeyCreate(budget="none"), ACTOR, dry_run=True)


async def test_a_reason_cannot_forge_a_line(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "otari.audit")
    actor = type(ACTOR)(1, 2, 'x"\naction=forged')

    await world.ops.create_budget(BudgetCreate("b"), actor, dry_run=False)

    assert caplog.records[0].getMessage().endswith(r'reason="x\"\naction=forged"')


async def test_concurrent_changes_are_made_one_after_the_other(world: World) -> None:
    await world.ops.create_budget(BudgetCreate("b", "1"), ACTOR, dry_run=False)
    names = [f"k{number}" for number in range(20)]

    await asyncio.gather(
        *(world.ops.create_key(KeyCreate(name, budget="b"), ACTOR, dry_run=False) for name in names)
    )

    holders = (await world.ops.budget("b")).holders
    assert sorted(use.holder for use in holders) == sorted(f"key:{name}" for name in names)
    assert sorted(world.ledger.book.accounts) == list(range(1, 21))


async def test_a_change_is_finished_even_when_whoever_asked_has_gone(world: World) -> None:
    made = await world.ops.create_key(KeyCreate("ci"), ACTOR, dry_run=False)
    asking = asyncio.ensure_future(world.ops.revoke_key("ci", ACTOR, dry_run=False))
    await asyncio.sleep(0)

    asking.cancel()
    await asyncio.wait({asking})
    shown = await world.ops.update_key("ci", KeyUpdate(), ACTOR, dry_run=False)

    assert asking.cancelled()
    assert shown.status == "revoked"
    with pytest.raises(Unauthenticated):
        await world.caller(made.key)


async def test_a_change_waits_for_its_turn_only_so_long(world: World) -> None:
    desk = Desk(world.store, world.seats, world.ledger, world.clock, world.entropy, turn_wait_s=0.01)
    began, done, ran = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def long() -> bool:
        began.set()
        return await done.wait()

    async def work() -> None:
        ran.set()

    first = asyncio.ensure_future(desk.alone(long))
    await asyncio.wait_for(began.wait(), WAIT_S)
    with pytest.raises(Overloaded):
        await desk.alone(work)

    done.set()
    assert await first
    assert not ran.is_set()
    await desk.alone(work)
    assert ran.is_set()


async def test_what_cannot_be_committed_is_not_remembered_either(world: World) -> None:
    blocking = sqlite3.connect(world.path, isolation_level=None)
    blocking.execute("BEGIN IMMEDIATE")

    with pytest.raises(LedgerUnavailable):
        await world.ops.create_key(KeyCreate("a"), ACTOR, dry_run=False)

    blocking.execute("ROLLBACK")
    blocking.close()
    assert len(world.seats) == 0
    assert world.seats.users == {}
