"""Pricing again: only what differs is corrected, by an entry of its own, and only once."""

from __future__ import annotations

import pytest

from otari_daemon.control.prices import PriceList
from otari_daemon.domain.errors import InvalidField
from otari_daemon.protocol.messages import (
    BudgetAssign,
    BudgetCreate,
    KeyCreate,
    PriceSet,
    Reprice,
    UsageQuery,
)
from otari_daemon.telemetry.clock import rfc3339
from tests.control.world import ACTOR, DAY_MS, World, reopened

SPENT = 400
"""Tokens of each request, at a thousand nano-USD."""


async def spent(world: World, requests: int = 1, budget: str | None = "0.01") -> str | None:
    """A key whose requests have cost 0.0004 USD each, under a budget of its own."""
    made = await world.ops.create_key(KeyCreate("ci", budget=budget), ACTOR, dry_run=False)
    for _ in range(requests):
        await world.spend(made.key, SPENT)
        world.clock.ms += 1
    return made.key


async def price(world: World, usd: str, at: str = "1970-01-01T00:00:00Z") -> None:
    await world.ops.set_price(PriceSet("up:model", usd, usd, effective_at=at), ACTOR, dry_run=False)


async def reprice(world: World, *, dry_run: bool = False, **asked: object):
    return await world.ops.reprice(Reprice(**asked), ACTOR, dry_run=dry_run)  # type: ignore[arg-type]


async def balance(world: World) -> tuple[str, str]:
    """What the key's budget has posted, and its overage, by memory."""
    (key,) = await world.ops.keys(0, 10)
    (use,) = key.budgets
    return use.posted_usd, use.overage_usd


async def proven(world: World) -> bool:
    report = await world.ops.verify()
    assert report.ok, report.findings
    return report.ok


async def test_a_preview_counts_and_changes_nothing(world: World) -> None:
    await spent(world, 3)
    await price(world, "0.5")
    before = world.dump()

    told = await reprice(world, dry_run=True)

    (model,) = told.models
    assert (model.model, model.requests, model.credits, model.debits) == ("up:model", 3, 3, 0)
    assert (model.old_usd, model.new_usd, model.delta_usd) == ("0.0012", "0.0006", "-0.0006")
    assert (told.made, told.credits_usd) == (0, "-0.0006")
    assert world.dump() == before


async def test_a_credit_gives_room_back_at_once_and_a_second_run_changes_nothing(world: World) -> None:
    await spent(world, 3)
    await price(world, "0.5")

    first, second = await reprice(world), await reprice(world)

    assert (first.made, second.made) == (3, 0)
    assert (second.credits_usd, second.old_usd) == ("0.00", "0.0006")
    assert await balance(world) == ("0.0006", "0.00")
    assert await proven(world)
    async with reopened(world) as later:
        assert await balance(later) == ("0.0006", "0.00")


async def test_a_debit_waits_for_leave_and_then_uses_up_the_budget(world: World) -> None:
    key = await spent(world, 3)
    await price(world, "2")

    refused, made = await reprice(world), await reprice(world, allow_debits=True)

    assert (refused.made, refused.debits_refused, made.made) == (0, 3, 3)
    assert await balance(world) == ("0.0024", "0.00")
    assert await proven(world)
    await world.spend(key, SPENT)


async def test_a_debit_beyond_the_limit_is_overage_that_blocks_nothing(world: World) -> None:
    key = await spent(world, 3, budget="0.002")
    await price(world, "3")

    await reprice(world, allow_debits=True)

    assert await balance(world) == ("0.002", "0.0016")
    assert await proven(world)
    await price(world, "0.5")
    assert (await reprice(world)).made == 3
    assert await balance(world) == ("0.0006", "0.00")
    await world.spend(key, 1)


async def test_a_debit_for_a_period_that_is_over_leaves_the_new_one_alone(world: World) -> None:
    await spent(world, 2, budget="0.01/day")
    world.clock.ms += DAY_MS
    (key,) = await world.ops.keys(0, 10)
    assert key.budgets[0].posted_usd == "0.00"
    await price(world, "2")

    assert (await reprice(world, allow_debits=True)).made == 2

    assert await proven(world)
    rows = (await world.ops.usage(UsageQuery())).rows
    assert [(row.cost_usd, row.corrected_usd) for row in rows] == [("0.0008", "0.0004")] * 2
    (group,) = await world.ops.usage_summary("model", UsageQuery())
    assert group.cost_usd == "0.0016"


async def test_a_price_counts_from_when_it_takes_effect(world: World) -> None:
    await spent(world, 1)
    later = world.clock.ms
    await spent_again(world)
    await price(world, "0.5", at=str_time(later))

    assert (await reprice(world, model="fake:echo")).requests == 0
    assert (await reprice(world, until=str_time(later))).made == 0
    told = await reprice(world, model="up/model", since="1h")

    assert (told.requests, told.made) == (2, 1)


async def spent_again(world: World) -> None:
    made = await world.ops.create_key(KeyCreate("other"), ACTOR, dry_run=False)
    await world.spend(made.key, SPENT)


def str_time(at_ms: int) -> str:
    return rfc3339(at_ms)


async def test_back_and_forth_ends_where_it_began(world: World) -> None:
    await spent(world, 2)
    for usd in ("0.5", "2", "0.5", "1"):
        await price(world, usd)
        assert (await reprice(world, allow_debits=True)).made == 2

    assert await balance(world) == ("0.0008", "0.00")
    assert await proven(world)


async def test_a_request_under_several_ceilings_is_corrected_under_each(world: World) -> None:
    await world.ops.create_budget(BudgetCreate("all", "5"), ACTOR, dry_run=False)
    await world.ops.assign_budget("all", BudgetAssign("global"), ACTOR, dry_run=False)
    await spent(world, 2)
    await price(world, "0.25")

    await reprice(world)

    (key,) = await world.ops.keys(0, 10)
    assert {use.name: use.posted_usd for use in key.budgets} == {"key:ci": "0.0002", "all": "0.0002"}
    assert await proven(world)


async def test_an_explanation_adds_its_corrections_up(world: World) -> None:
    await spent(world)
    await price(world, "0.5")
    await reprice(world)
    (row,) = (await world.ops.usage(UsageQuery())).rows

    told = await world.ops.explain(row.request_id)

    (made,) = told.corrections
    assert (made.source, made.amount_usd, made.reason) == ("reprice", "-0.0002", "because")
    assert told.charge is not None
    assert (told.charge.cost_usd, told.net_usd) == ("0.0004", "0.0002")
    (ceiling,) = told.ceilings
    assert (ceiling.room_before_usd, ceiling.posted_usd) == ("0.01", "0.0002")


async def test_an_unpriced_model_is_told_of_and_left_alone(world: World) -> None:
    await spent(world)
    world.catalog.prices = PriceList([])

    told = await reprice(world)

    assert (told.unpriced, told.made, told.models) == (1, 0, ())


@pytest.mark.parametrize("asked", [{"since": "yesterday"}, {"until": "1x"}])
async def test_a_time_that_is_none_is_refused(world: World, asked: dict[str, str]) -> None:
    with pytest.raises(InvalidField):
        await reprice(world, **asked)
