"""Prices with tiers and service tiers: held at the dearest, charged at what applies, kept over restarts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otari_daemon.control.catalog import Catalog
from otari_daemon.control.default_prices import DefaultPrices
from otari_daemon.control.plane import Ending
from otari_daemon.control.prices import PriceList
from otari_daemon.domain.errors import InvalidField, UnpricedModel
from otari_daemon.domain.intent import Intent
from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.domain.usage import Usage
from otari_daemon.protocol.messages import KeyCreate, PriceSet, PriceTier, UsageQuery
from otari_daemon.store import prices
from otari_daemon.store.verify import verify
from tests.control.world import ACTOR, CHAT, WAIT_S, World, reopened

TIERED = PriceSet(
    "up:model",
    "1",
    "2",
    cache_write_1h_price_per_million="1.6",
    price_per_image="0.04",
    pricing_tiers=(PriceTier(101, "10"),),
    service_tiers={"priority": "2.5", "flex": 0.5},
)


async def settled(world: World, secret: str, service: str | None, answered: str | None, tokens: int) -> int:
    """What a request of `tokens` prompt tokens costs, asked and answered under service tiers."""
    intent = Intent("up:model", False, 1000, 10, 10, service=service)
    admission = await world.plane.admit(await world.caller(secret), intent, world.name_request(), CHAT)
    seen = Consumption(Usage(input=tokens, output=10, requests=1), service=answered)
    assert await world.plane.settle(admission, Ending(Reason.USAGE, seen)).wait(WAIT_S)
    row = (await world.ops.usage(UsageQuery())).rows[0]
    assert float(row.cost_usd) <= float(row.held_usd or 0)
    return round(float(row.cost_usd) * 1_000_000_000)


@pytest.mark.parametrize(
    ("asked", "answered", "tokens", "nano"),
    [
        (None, None, 100, 100_000 + 20_000),
        (None, None, 101, 1_010_000 + 20_000),
        (None, "priority", 100, 250_000 + 50_000),
        ("priority", "priority", 101, 2_525_000 + 50_000),
        ("priority", None, 100, 250_000 + 50_000),
        ("priority", "default", 100, 100_000 + 20_000),
        ("flex", "flex", 100, 50_000 + 10_000),
        ("auto", "unheard-of", 100, 100_000 + 20_000),
    ],
)
async def test_the_tier_that_applies_is_charged(
    world: World, asked: str | None, answered: str | None, tokens: int, nano: int
) -> None:
    made = await world.ops.create_key(KeyCreate("a", budget="100"), ACTOR, dry_run=False)
    await world.ops.set_price(TIERED, ACTOR, dry_run=False)

    assert await settled(world, made.key or "", asked, answered, tokens) == nano
    assert (await world.store.read(verify)).clean


async def test_a_crash_is_charged_at_the_tier_that_was_presumed(world: World) -> None:
    made = await world.ops.create_key(KeyCreate("a", budget="100"), ACTOR, dry_run=False)
    await world.ops.set_price(TIERED, ACTOR, dry_run=False)
    intent = Intent("up:model", False, 1000, 200, 10, service="priority")
    admission = await world.plane.admit(await world.caller(made.key), intent, world.name_request(), CHAT)
    assert await admission.opened.wait(WAIT_S)

    async with reopened(world) as later:
        row = (await later.ops.usage(UsageQuery())).rows[0]
        assert (row.reason, round(float(row.cost_usd) * 1e9)) == ("crash", 200 * 25_000)
        assert (await later.store.read(verify)).clean


async def test_a_price_comes_back_whole_from_the_database(world: World) -> None:
    info = await world.ops.set_price(TIERED, ACTOR, dry_run=False)
    remembered = world.catalog.prices.strongest

    assert tuple(await world.store.read(prices.everything)) == remembered
    assert info.rates_usd["images"] == "0.04"
    assert [(step.service_tier, step.above_input_tokens, step.rates_usd["input"]) for step in info.steps] == [
        (None, 100, "10.00"),
        ("priority", 0, "2.50"),
        ("priority", 100, "25.00"),
        ("flex", 0, "0.50"),
        ("flex", 100, "5.00"),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"pricing_tiers": (PriceTier(0, "1"),)},
        {"pricing_tiers": (PriceTier(5, "1"), PriceTier(5, "2"))},
        {"pricing_tiers": (PriceTier(5, "-1"),)},
        {"service_tiers": {"Priority!": "2"}},
        {"service_tiers": {"priority": "0"}},
        {"service_tiers": {"priority": [2]}},
        {"price_per_image": "0.0000000000001"},
    ],
    ids=repr,
)
async def test_tiers_that_cannot_be_are_refused(world: World, wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidField):
        await world.ops.set_price(replace(TIERED, **wrong), ACTOR, dry_run=False)


def with_bundle(world: World) -> Catalog:
    """Give the world the bundled prices; its provider `up` is of type openai."""
    world.catalog._defaults = DefaultPrices.bundled()
    return world.catalog


async def test_bundled_prices_are_listed_after_the_stated_ones_in_pages(world: World) -> None:
    with_bundle(world)
    whole = await world.ops.prices(0, 1000)
    paged = [each for skip in range(0, len(whole), 7) for each in await world.ops.prices(skip, 7)]

    assert [each.source for each in whole[:2]] == ["mock", "test"]
    assert {each.source for each in whole[2:]} == {"default"}
    assert all(each.in_force for each in whole)
    assert "up:gpt-5" in [each.model_key for each in whole]
    assert paged == whole


async def test_suggestions_name_what_is_refused_bundled_or_outdated_and_can_be_set(world: World) -> None:
    catalog = with_bundle(world)
    made = await world.ops.create_key(KeyCreate("a"), ACTOR, dry_run=False)
    await world.spend(made.key, 10)
    await settled_at(world, made.key or "", "up:gpt-5")
    caller = await world.caller(made.key)
    with pytest.raises(UnpricedModel) as refusal:
        await world.admit(made.key, 10, "up:never-heard-of")
    world.plane.refused(caller, world.name_request(), CHAT, refusal.value, "up:never-heard-of")
    await world.ops.set_price(PriceSet("up:gpt-5-mini", "9", "9"), ACTOR, dry_run=False)

    found = {each.model_key: each for each in await world.ops.price_suggestions(None)}
    differing = found["up:gpt-5-mini"]
    assert {key: each.why for key, each in found.items()} == {
        "up:never-heard-of": "refused",
        "up:gpt-5": "bundled",
        "up:gpt-5-mini": "differs",
    }
    assert found["up:never-heard-of"].proposed is None
    assert differing.known_as == "openai:gpt-5-mini"
    assert differing.proposed is not None

    world.clock.ms += 1
    await world.ops.set_price(differing.proposed, ACTOR, dry_run=False)
    assert "up:gpt-5-mini" not in [each.model_key for each in await world.ops.price_suggestions(None)]
    route = catalog.resolve("up:gpt-5-mini")
    known = catalog.proposed(route, world.clock.ms)
    assert known is not None
    assert catalog.price(route, world.clock.ms).rates == known[1].rates


async def settled_at(world: World, secret: str, model: str) -> None:
    """One settled request for a model."""
    await world.settle(await world.admit(secret, 10, model), 5)


def test_starting_again_adds_no_version_of_a_price() -> None:
    """A configuration's price without a moment has held for ever, whenever otari starts."""
    from otari_daemon.config.load import load
    from otari_daemon.control.stated_prices import configured_prices

    text = "pricing: {'mock:echo': {input_price_per_million: 1, output_price_per_million: 2}}"
    lists = [
        PriceList([], configured_prices(load(text, source="config.yml", environ={}))).stated for _ in range(5)
    ]

    assert all(each == lists[0] for each in lists)
    assert [price.effective_ms for price in lists[0]] == [0]
