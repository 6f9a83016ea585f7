"""A budget whose period changes begins a new one at once, and no two balances are ever the same row."""

from __future__ import annotations

import pytest

from otari_daemon.control.operations.ceilings import restate
from otari_daemon.domain.budgets import Budget
from otari_daemon.domain.errors import BudgetExceeded, InvalidField
from otari_daemon.domain.money import Nano
from otari_daemon.domain.windows import Calendar
from otari_daemon.protocol.messages import BudgetCreate, BudgetInfo, BudgetUpdate, KeyCreate
from tests.control.world import ACTOR, DAY_MS, START_MS, World, reopened


async def key(world: World, budget: str) -> str | None:
    """The secret of the key `a`, under a budget of its own."""
    return (await world.ops.create_key(KeyCreate("a", budget=budget), ACTOR, dry_run=False)).key


async def change(world: World, **fields: object) -> BudgetInfo:
    """Change the budget of `a`."""
    update = BudgetUpdate(**fields)  # type: ignore[arg-type]
    return await world.ops.update_budget("key:a", update, ACTOR, dry_run=False)


def starts(world: World) -> list[tuple[int, int]]:
    """Every balance's period and what was posted in it."""
    rows = world.store.read_now(
        lambda s: s.con.execute("SELECT period_start_ms, posted_n FROM balance ORDER BY 1").fetchall()
    )
    return [(start, posted) for start, posted in rows]


@pytest.mark.parametrize(
    ("period", "other"),
    [
        ("day", "lifetime"),
        ("day", "7d"),
        ("day", "month"),
        ("lifetime", "day"),
        ("lifetime", "7d"),
        ("30d", "7d"),
        ("30d", "lifetime"),
        ("month", "week"),
        ("week", "month"),
    ],
)
async def test_another_period_begins_at_once_with_nothing_spent(
    world: World, period: str, other: str
) -> None:
    secret = await key(world, f"0.003/{period}")
    await world.spend(secret, 3000)
    world.clock.ms += 1000

    shown = await change(world, per=other)

    (use,) = shown.holders
    assert (use.posted_usd, use.held_usd) == ("0.00", "0.00")
    assert use.period_start == "2025-06-15T15:06:41.000Z"
    await world.spend(secret, 3000)
    with pytest.raises(BudgetExceeded):
        await world.admit(secret, 1)
    assert [posted for _, posted in starts(world)] == [3_000_000, 3_000_000]
    assert (await world.ops.verify()).ok


async def test_the_new_period_ends_where_the_new_window_says(world: World) -> None:
    secret = await key(world, "0.003/30d")
    await world.spend(secret, 3000)

    shown = await change(world, per="day", time_zone="Asia/Tokyo")

    assert shown.holders[0].period_end == "2025-06-16T15:00:00.000Z"
    await world.spend(secret, 3000)
    world.clock.ms = START_MS + DAY_MS
    await world.spend(secret, 3000)


async def test_a_request_in_flight_settles_in_the_period_that_admitted_it(world: World) -> None:
    secret = await key(world, "0.003/day")
    held = await world.admit(secret, 3000)

    await change(world, per="month")
    await world.settle(held, 2000)

    (use,) = (await world.ops.budget("key:a")).holders
    assert use.posted_usd == "0.00"
    await world.spend(secret, 3000)
    assert [posted for _, posted in starts(world)] == [2_000_000, 3_000_000]
    assert (await world.ops.verify()).ok


@pytest.mark.parametrize("spends", [True, False])
async def test_a_restart_finds_the_period_the_change_began(world: World, spends: bool) -> None:
    secret = await key(world, "0.003/day")
    await world.spend(secret, 3000)
    await change(world, per="lifetime")
    if spends:
        await world.spend(secret, 1000)
    before = await world.ops.budget("key:a")

    async with reopened(world) as later:
        assert await later.ops.budget("key:a") == before
        await later.spend(secret, 2000)
        bundle = later.seats.bundle((await later.caller(secret)).seat, later.clock.ms)
        later.clock.ms += 400 * DAY_MS
        assert later.seats.bundle((await later.caller(secret)).seat, later.clock.ms) is bundle


async def test_two_changes_in_one_millisecond_and_a_clock_set_back_still_begin_new_rows(
    world: World,
) -> None:
    secret = await key(world, "0.003/day")
    for per, back_ms in (("week", 0), ("day", 0), ("lifetime", 5 * DAY_MS), ("30d", 0), ("day", 0)):
        await world.spend(secret, 3000)
        world.clock.ms -= back_ms
        await change(world, per=per)
    await world.spend(secret, 3000)

    found = starts(world)

    assert [posted for _, posted in found] == [3_000_000] * 6
    assert len({start for start, _ in found}) == 6
    assert (await world.ops.verify()).ok


async def test_a_change_that_comes_to_the_same_period_begins_nothing(world: World) -> None:
    secret = await key(world, "0.003/30d")
    await world.spend(secret, 2000)
    world.clock.ms += DAY_MS

    for fields in ({"per": "30d"}, {"budget_duration_sec": 30 * 86_400}, {"max_budget": "0.003"}):
        shown = await change(world, **fields)
        assert shown.holders[0].posted_usd == "0.002"
        assert shown.holders[0].period_start == "2025-06-15T15:06:40.000Z"


async def test_a_zone_can_be_changed_alone_and_null_clears_a_period(world: World) -> None:
    await world.ops.create_budget(
        BudgetCreate("key:a", "1", per="week", time_zone="Europe/Oslo"), ACTOR, dry_run=False
    )

    assert (await change(world, per="month")).time_zone == "Europe/Oslo"
    assert (await change(world, time_zone="Asia/Tokyo")).per == "month"
    assert (await change(world, time_zone=None)).time_zone == "UTC"
    assert (await change(world, budget_duration_sec=None)).per == "month"
    assert (await change(world, reset_alignment=None, budget_duration_sec=60)).per == "60s"
    assert (await change(world, budget_duration_sec=None)).per == "lifetime"
    with pytest.raises(InvalidField) as refusal:
        await change(world, time_zone="Europe/Oslo")
    assert refusal.value.param == "time_zone"
    with pytest.raises(InvalidField, match="not both"):
        await change(world, per="day", budget_duration_sec=60)


async def test_a_period_that_nobody_drew_on_begins_where_the_calendar_says(world: World) -> None:
    secret = await key(world, "0.003/month")

    shown = await change(world, per="day")

    assert shown.holders[0].period_start == "2025-06-15T00:00:00.000Z"
    await world.spend(secret, 1000)
    assert starts(world) == [(1_749_945_600_000, 1_000_000)]


async def test_a_period_that_began_during_the_change_is_kept_with_its_new_end(world: World) -> None:
    secret = await key(world, "0.003/day")
    await world.spend(secret, 2000)
    account = world.ledger.book.accounts[1]
    balance, began = account.balance, account.period.start_ms
    weekly = Budget("b", "key:a", Nano(5), Calendar("week"), START_MS)

    restate(account, weekly, began - 1)

    assert account.balance is balance
    assert account.period == (began, Calendar("week").period(began).end_ms)
