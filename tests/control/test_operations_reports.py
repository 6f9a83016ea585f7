"""Reports and forecasts as operators ask for them, and what the holder of a key is told of itself."""

from __future__ import annotations

import pytest

from otari_daemon.domain.errors import InvalidField
from otari_daemon.protocol.messages import (
    BudgetRaise,
    KeyCreate,
    KeyCreated,
    PriceSet,
    ReportQuery,
    Reprice,
    UsageQuery,
    UserCreate,
)
from otari_daemon.store.verify import verify
from otari_daemon.telemetry.clock import rfc3339
from tests.control.world import ACTOR, DAY_MS, WAIT_S, World

CENT = 10_000
"""Tokens at $1 per million."""

HOUR_MS = DAY_MS // 24


async def key(world: World, name: str = "ci", **fields: object) -> KeyCreated:
    return await world.ops.create_key(KeyCreate(name, **fields), ACTOR, dry_run=False)  # type: ignore[arg-type]


async def credited(world: World, model: str = "up:model", usd: str = "0.5") -> None:
    """Halve the price from the beginning, and give back what that makes of settled requests."""
    stated = PriceSet(model, usd, usd, effective_at="1970-01-01T00:00:00Z")
    await world.ops.set_price(stated, ACTOR, dry_run=False)
    await world.ops.reprice(Reprice(), ACTOR, dry_run=False)
    assert await world.ledger.ticket().wait(WAIT_S)


async def test_a_report_is_net_of_corrections_in_every_grouping(world: World) -> None:
    secret = (await key(world)).key
    for _ in range(2):
        await world.spend(secret, CENT)
        world.clock.ms += DAY_MS

    await credited(world)

    for by in ("model", "key", "day", "user,status", ""):
        report = await world.ops.usage_report(ReportQuery(by))
        assert (report.totals.cost_usd, report.totals.requests, report.exact) == ("0.01", 2, True)
        assert sum(row.requests for row in report.rows) == 2
    rows = (await world.ops.usage(UsageQuery(where="cost:<=0.005"))).rows
    assert [(row.cost_usd, row.corrected_usd) for row in rows] == [("0.005", "-0.005")] * 2
    assert (await world.store.read(verify)).clean


async def test_a_user_has_spent_what_is_left_after_corrections(world: World) -> None:
    await world.ops.create_user(UserCreate("ana"), ACTOR, dry_run=False)
    await world.spend((await key(world, user_id="ana")).key, CENT)

    await credited(world)

    (ana,) = [user for user in await world.ops.users(0, 10) if user.user_id == "ana"]
    assert ana.spend == pytest.approx(0.005)


async def test_a_forecast_counts_with_the_raises_in_force(world: World) -> None:
    secret = (await key(world, budget="0.02/day")).key
    world.clock.ms += DAY_MS - world.clock.ms % DAY_MS + 12 * HOUR_MS
    await world.spend(secret, CENT + CENT // 2)
    (before,) = await world.ops.usage_forecast()

    until = rfc3339(world.clock.ms + HOUR_MS)
    await world.ops.raise_budget("key:ci", BudgetRaise("0.02", until), ACTOR, dry_run=False)
    (after,) = await world.ops.usage_forecast()

    assert (before.limit_usd, before.projected_usd, before.runs_out_at is None) == ("0.02", "0.03", False)
    assert (after.limit_usd, after.projected_usd, after.runs_out_at) == ("0.04", "0.03", None)


async def test_a_key_is_told_its_limits_as_they_stand(world: World) -> None:
    made = await key(world, budget="1/day", rpm=60, max_parallel=4)
    running = await world.admit(made.key, CENT)

    told = await world.ops.me(await world.caller(made.key))

    assert told["limits"] == [
        {"holder": "key:ci", "limit": "rpm", "most": 60, "used": 1, "source": "own"},
        {"holder": "key:ci", "limit": "max_parallel", "most": 4, "used": 1, "source": "own"},
    ]
    assert (told["requests_in_flight"], "up:model" in str(told["models"])) == (1, True)
    await world.settle(running, CENT)


@pytest.mark.parametrize(
    ("query", "param"),
    [
        (ReportQuery("mood"), "by"),
        (ReportQuery("day,hour"), "by"),
        (ReportQuery("key,key"), "by"),
        (ReportQuery(where="cost:>1"), "where"),
        (ReportQuery("hour", since="90d"), "by"),
        (ReportQuery(since="2000-01-01"), "since"),
    ],
)
async def test_a_report_that_cannot_be_made_names_what_is_wrong(
    world: World, query: ReportQuery, param: str
) -> None:
    with pytest.raises(InvalidField) as caught:
        await world.ops.usage_report(query)

    assert caught.value.param == param
