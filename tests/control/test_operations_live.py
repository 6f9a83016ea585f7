"""The daemon now: status, open holds, events, models, the first key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from otari_daemon.control.operations import LocalOperations, bootstrap
from otari_daemon.domain.errors import InvalidField, Overloaded, Unauthenticated
from otari_daemon.protocol.messages import (
    BudgetAssign,
    BudgetCreate,
    Event,
    KeyCreate,
    UsageQuery,
    UserCreate,
)
from otari_daemon.store.store import Store
from otari_daemon.telemetry.activity import WATCHERS_MAX
from tests.control.world import ACTOR, START_MS, WAIT_S, Entropy, HandClock, World, opened, reopened


async def secret_of(world: World, name: str = "ci", **more: object) -> str | None:
    """The secret of a new key."""
    new = KeyCreate(name, **more)  # type: ignore[arg-type]
    return (await world.ops.create_key(new, ACTOR, dry_run=False)).key


async def next_of(events: AsyncIterator[Event]) -> Event:
    """The next event, soon."""
    return await asyncio.wait_for(pull(events), WAIT_S)


async def pull(events: AsyncIterator[Event]) -> Event:
    """The next event, whenever it comes."""
    return await anext(events)


async def test_holds_are_listed_oldest_first_with_who_and_under_what(world: World) -> None:
    await world.ops.create_user(UserCreate("ann", budget="5"), ACTOR, dry_run=False)
    secret = await secret_of(world, user_id="ann", budget="3")
    await world.ops.create_budget(BudgetCreate("all", "9"), ACTOR, dry_run=False)
    await world.ops.assign_budget("all", BudgetAssign("global"), ACTOR, dry_run=False)
    first = await world.admit(secret, 1000)
    world.clock.ms += 1500
    second = await world.admit(secret, 2000)

    older, newer = await world.ops.holds()

    assert (older.request_id, newer.request_id) == (first.request_id, second.request_id)
    assert (older.age_ms, newer.age_ms) == (1500, 0)
    assert (older.amount_usd, older.model, older.key_name) == ("0.001", "up:model", "ci")
    assert older.ceilings == ("key:ci", "user:ann", "global")
    await world.settle(first, 1000)
    assert [hold.request_id for hold in await world.ops.holds()] == [second.request_id]


async def test_status_tells_what_is_held_and_shows_no_secret(world: World) -> None:
    secret = await secret_of(world)
    await world.admit(secret, 1000)
    world.clock.ms += 2500

    status = await world.ops.status()

    assert (status.in_flight, status.open_holds, status.held_usd) == (1, 1, "0.001")
    assert (status.uptime_s, status.ledger_available, status.generation) == (2.5, True, 1)
    assert [(each.name, each.base_url, each.mock) for each in status.providers] == [
        ("up", "https://api.example/v1", False),
        ("fake", None, True),
    ]
    assert status.mock
    assert "hidden" not in repr(status)


async def test_the_books_are_proven_and_what_is_off_is_named(world: World) -> None:
    secret = await secret_of(world, budget="3")
    await world.spend(secret, 1000)
    report = await world.ops.verify()
    assert (report.ok, report.holds, report.balances, report.findings) == (True, 1, 1, ())

    await world.store.write(lambda con: con.execute("UPDATE balance SET posted_n = posted_n + 1"))

    report = await world.ops.verify()
    assert not report.ok
    assert [finding.invariant for finding in report.findings] == ["sum"]


async def test_events_are_followed_from_now_or_from_a_cursor(world: World) -> None:
    secret = await secret_of(world)
    await world.spend(secret, 500)
    live = world.ops.events(None)
    waiting = asyncio.create_task(pull(live))
    await asyncio.sleep(0)  # one turn of the loop: it is following now
    await world.spend(secret, 1000)
    first = await asyncio.wait_for(waiting, WAIT_S)
    with pytest.raises(Unauthenticated):
        await world.caller("gw-nobody")
    second = await next_of(live)

    assert first.kind == "request"
    assert first.row in (await world.ops.usage(UsageQuery())).rows
    assert first.row is not None
    assert first.row.cost_usd == "0.001"
    assert (second.kind, second.refusal and second.refusal.code) == ("refusal", "invalid_api_key")
    assert await next_of(world.ops.events(first.cursor)) == second


async def test_a_cursor_of_another_boot_begins_with_the_oldest_remembered(world: World) -> None:
    secret = await secret_of(world)
    await world.spend(secret, 1000)
    cursor = (await next_of(world.ops.events("0" * 12 + "-99"))).cursor

    async with reopened(world) as later:
        await later.spend(secret, 2000)
        event = await next_of(later.ops.events(cursor))

    assert event.row is not None
    assert event.row.cost_usd == "0.002"
    assert event.cursor.partition("-")[0] != cursor.partition("-")[0]


async def test_events_refuse_a_cursor_that_is_none_and_a_watcher_too_many(world: World) -> None:
    with pytest.raises(InvalidField):
        world.ops.events("yesterday")
    await world.spend(await secret_of(world), 1)
    following = [world.ops.events("0" * 12 + "-0") for _ in range(WATCHERS_MAX)]
    for events in following:
        await next_of(events)

    with pytest.raises(Overloaded):
        await next_of(world.ops.events(None))

    for events in following:
        await events.aclose()  # type: ignore[attr-defined]
    await next_of(world.ops.events("0" * 12 + "-0"))


async def test_models_are_listed_with_prices_and_mocks_are_marked(world: World) -> None:
    models = {model.id: model for model in await world.ops.models()}

    assert sorted(models) == ["fake:echo", "fast", "up:model", "up:unpriced"]
    assert (models["up:model"].input_usd_per_million, models["up:model"].pricing_source) == ("1.00", "test")
    assert (models["up:unpriced"].input_usd_per_million, models["up:unpriced"].pricing_source) == (
        None,
        "none",
    )
    assert [id for id, model in models.items() if model.mock] == ["fake:echo"]
    assert models["fake:echo"].context_window == 8192


async def test_a_key_sees_the_models_it_may_name(world: World) -> None:
    models_for = LocalOperations.public_models(lambda: world.catalog, world.clock)
    whole, part = await secret_of(world), await secret_of(world, allowed_models=("up:model",))
    assert whole is not None
    assert part is not None

    every = await models_for(await world.caller(whole))
    assert every == await models_for(None)
    assert [model["id"] for model in every] == ["fake:echo", "fast", "up:model", "up:unpriced"]
    assert every[0] == {
        "id": "fake:echo",
        "object": "model",
        "created": 0,
        "owned_by": "fake",
        "pricing": {"input_price_per_million": 0.5, "output_price_per_million": 0.0},
        "mock": True,
    }
    assert every[3]["pricing"] is None
    narrow = await models_for(await world.caller(part))
    assert [model["id"] for model in narrow] == ["fast", "up:model"]


async def test_shutdown_is_asked_for_at_once(world: World) -> None:
    await world.ops.shutdown(ACTOR)

    assert world.stopped.is_set()


async def test_an_empty_database_gets_one_first_key(tmp_path: Path) -> None:
    path, entropy = tmp_path / "otari.db", Entropy()
    store = Store.open(f"sqlite:///{path}", now_ms=START_MS, spare_bytes=0)
    store.begin_epoch()

    secret = bootstrap(store, entropy, START_MS)

    assert secret is not None
    assert bootstrap(store, entropy, START_MS) is None
    assert await store.close(WAIT_S)
    async with opened(path, HandClock(), entropy) as world:
        caller = await world.caller(secret)
        assert (caller.key_name, caller.user_id) == ("bootstrap", "default")
        assert (await world.ops.key("bootstrap")).metadata == {"bootstrap": True}
