"""Freezes: in effect with the next request, told with their reason, over by themselves."""

from __future__ import annotations

import pytest

from otari_daemon.control.actor import Actor
from otari_daemon.domain.errors import Frozen, InvalidField, NotFound
from otari_daemon.protocol.messages import BudgetAssign, FreezeCreate, KeyCreate
from otari_daemon.telemetry.clock import rfc3339
from tests.control.world import ACTOR, World, reopened

HOUR_MS = 3_600_000
LEAK = Actor(1, 1000, "leaked in a log")


async def key(world: World) -> str | None:
    return (await world.ops.create_key(KeyCreate("ci", "ana"), ACTOR, dry_run=False)).key


@pytest.mark.parametrize(
    ("kind", "id", "said"), [("key", "ci", "this API key"), ("user", "ana", "user 'ana'")]
)
async def test_a_freeze_holds_from_the_next_request_until_its_moment(
    world: World, kind: str, id: str, said: str
) -> None:
    secret = await key(world)
    until = rfc3339(world.clock.ms + HOUR_MS)

    await world.ops.freeze(FreezeCreate(kind, id, until), LEAK, dry_run=False)  # type: ignore[arg-type]

    with pytest.raises(Frozen) as refusal:
        await world.admit(secret, 1)
    assert (refusal.value.status, refusal.value.code) == (403, "frozen")
    assert refusal.value.message == f"{said} is frozen until {until}: leaked in a log"
    world.clock.ms += HOUR_MS
    await world.admit(secret, 1)
    assert world.seats.frozen == {}


async def test_a_freeze_survives_a_restart_and_is_lifted_by_hand(world: World) -> None:
    secret = await key(world)
    await world.ops.freeze(FreezeCreate("key", "ci"), LEAK, dry_run=False)

    async with reopened(world) as later:
        with pytest.raises(Frozen, match="this API key is frozen: leaked"):
            await later.admit(secret, 1)
        (listed,) = await later.ops.freezes(0, 10)
        assert (listed.holder, listed.until, listed.uid) == ("key:ci", None, 1000)
        await later.ops.unfreeze(BudgetAssign("key", "ci"), ACTOR, dry_run=False)
        await later.admit(secret, 1)
        assert await later.ops.freezes(0, 10) == []
        with pytest.raises(NotFound, match="not frozen"):
            await later.ops.unfreeze(BudgetAssign("key", "ci"), ACTOR, dry_run=False)


async def test_freezing_anew_replaces_the_freeze(world: World) -> None:
    await key(world)
    await world.ops.freeze(FreezeCreate("key", "ci"), LEAK, dry_run=False)
    await world.ops.freeze(FreezeCreate("key", "ci", "2030-01-01T00:00:00Z"), Actor(1, 2), dry_run=False)

    (listed,) = await world.ops.freezes(0, 10)
    assert (listed.until, listed.reason, listed.uid) == ("2030-01-01T00:00:00.000Z", "", 2)


async def test_what_cannot_be_frozen_is_refused(world: World) -> None:
    await key(world)
    with pytest.raises(NotFound):
        await world.ops.freeze(FreezeCreate("user", "nobody"), ACTOR, dry_run=False)
    with pytest.raises(InvalidField, match="in the future"):
        await world.ops.freeze(FreezeCreate("key", "ci", "2020-01-01T00:00:00Z"), ACTOR, dry_run=False)
    with pytest.raises(InvalidField, match="printable"):
        await world.ops.freeze(FreezeCreate("key", "ci"), Actor(1, 1, "a\x1bb"), dry_run=False)
    with pytest.raises(InvalidField, match="only a key or a user"):
        await world.ops.unfreeze(BudgetAssign("global"), ACTOR, dry_run=False)
