"""Prices an operator sets: in force with the next request, by moment, over those of the configuration."""

from __future__ import annotations

import pytest

from otari_daemon.domain.errors import InvalidField, NotFound
from otari_daemon.protocol.messages import KeyCreate, PriceSet
from otari_daemon.store import prices
from otari_daemon.telemetry.clock import rfc3339
from tests.control.world import ACTOR, DAY_MS, START_MS, World

LATER = rfc3339(START_MS + DAY_MS)


async def test_a_price_bills_the_next_request_and_goes_away_again(world: World) -> None:
    made = await world.ops.create_key(KeyCreate("a"), ACTOR, dry_run=False)
    new = PriceSet("up/model", "2.5", 7)

    rehearsed = await world.ops.set_price(new, ACTOR, dry_run=True)
    before = await world.admit(made.key, 10)
    info = await world.ops.set_price(new, ACTOR, dry_run=False)
    after = await world.admit(made.key, 10)
    await world.ops.delete_price("up:model", None, ACTOR, dry_run=False)

    assert rehearsed.in_force
    assert (before.grant.facts.price.source, after.grant.facts.price.source) == ("test", "database")
    assert after.grant.facts.price.rates[:4] == (2_500_000, 2_500_000, 2_500_000, 7_000_000)
    assert (info.model_key, info.input_usd_per_million, info.output_price_per_million) == (
        "up:model",
        "2.50",
        7.0,
    )
    assert (await world.ops.price("up:model", None)).source == "test"
    assert await world.store.read(prices.everything) == []


async def test_a_later_version_neither_bills_nor_shows_before_its_time(world: World) -> None:
    await world.ops.set_price(PriceSet("up:new", 1, 2, effective_at=LATER), ACTOR, dry_run=False)

    with pytest.raises(NotFound):
        await world.ops.price("up:new", None)
    early = [model.id for model in await world.ops.models()]
    assert (await world.ops.price("up:new", LATER)).effective_at == LATER
    world.clock.ms += DAY_MS
    assert "up:new" not in early
    assert "up:new" in [model.id for model in await world.ops.models()]


async def test_a_version_of_the_same_moment_is_replaced(world: World) -> None:
    for dollars in ("1", "2"):
        new = PriceSet("up:model", dollars, dollars, effective_at=LATER)
        await world.ops.set_price(new, ACTOR, dry_run=False)

    newest, oldest = await world.ops.price_history("up:model")
    assert (newest.input_usd_per_million, newest.source, newest.in_force) == ("2.00", "database", False)
    assert (oldest.source, oldest.in_force) == ("test", True)
    with pytest.raises(NotFound, match="with effective_at"):
        await world.ops.delete_price("up:model", "2030-01-01", ACTOR, dry_run=False)


@pytest.mark.parametrize(
    ("new", "param"),
    [
        (PriceSet("nobody:model", 1, 2), "model_key"),
        (PriceSet("fast", 1, 2), "model_key"),
        (PriceSet("up:gpt*", 1, 2), "model_key"),
        (PriceSet("up:a", -1, 2), "input_price_per_million"),
        (PriceSet("up:a", 1, "0.0000001"), "output_price_per_million"),
        (PriceSet("up:a", 1, 2, effective_at="soon"), "effective_at"),
    ],
)
async def test_what_cannot_be_a_price_is_refused_by_field(world: World, new: PriceSet, param: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        await world.ops.set_price(new, ACTOR, dry_run=False)
    assert refusal.value.param == param
