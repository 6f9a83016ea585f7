"""A hold that nobody settles is settled by the watchdog, once, and counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest

from otari_daemon.control.plane import Admission, Ending
from otari_daemon.control.watchdog import GRACE_NS, LOOK_NS, Watchdog
from otari_daemon.domain.limits import KEY
from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.domain.usage import Usage
from otari_daemon.protocol.messages import KeyCreate
from otari_daemon.store import usage
from otari_daemon.store.verify import verify
from tests.control.world import ACTOR, WAIT_S, World

TOTAL_S = 900.0
LATEST_MS = round(TOTAL_S * 1000) + GRACE_NS // 1_000_000


class Waits(NamedTuple):
    """How long a provider may take in all."""

    total_s: float = TOTAL_S


@dataclass
class Place:
    """Where a provider is, as far as the watchdog looks at it."""

    base_url: str = "https://api.example/v1"
    speaks: frozenset[str] = frozenset({"chat"})
    output_limit_field: str = "max_tokens"
    needs_limit: bool = False
    timeouts: Waits = field(default_factory=Waits)


@pytest.fixture
async def secret(world: World) -> str:
    """A key under a budget, whose provider has a total timeout."""
    upstream: Any = world.catalog.upstreams["up"]
    upstream.place = Place()
    made = await world.ops.create_key(KeyCreate("ci", budget="5"), ACTOR, dry_run=False)
    assert made.key is not None
    return made.key


async def test_a_hold_is_left_alone_until_its_provider_could_not_answer_any_more(
    world: World, secret: str
) -> None:
    watchdog = Watchdog(world.ledger, world.clock.monotonic_ns)
    await world.admit(secret, 10)
    world.clock.ms += LATEST_MS

    watchdog.look(world.plane.settle)

    assert (len(world.ledger.book.open_holds), world.ledger.hold_leaks) == (1, 0)


async def test_a_leaked_hold_is_charged_as_ambiguous_and_its_slot_is_free(world: World, secret: str) -> None:
    watchdog = Watchdog(world.ledger, world.clock.monotonic_ns)
    leaked = await world.admit(secret, 10)
    world.clock.ms += LATEST_MS + 1
    young = await world.admit(secret, 10)

    watchdog.look(world.plane.settle)

    await world.ledger.ticket().wait(WAIT_S)
    rows = await world.store.read(usage.open_holds)
    assert [row.rid for row in rows] == [young.grant.hold.rid]
    assert world.ledger.meters.slots.of((KEY, leaked.caller.key_id)) == 1
    assert (await world.ops.status()).hold_leaks == 1
    row = await settled(world, leaked)
    assert (Reason(row.reason), row.status) == (Reason.AMBIGUOUS, 0)


async def test_an_owner_who_comes_after_the_watchdog_changes_nothing(world: World, secret: str) -> None:
    watchdog = Watchdog(world.ledger, world.clock.monotonic_ns)
    leaked = await world.admit(secret, 10)
    world.clock.ms += LATEST_MS + 1
    watchdog.look(world.plane.settle)

    late = Ending(Reason.USAGE, Consumption(Usage(input=3)), 200)
    assert await world.plane.settle(leaked, late).wait(WAIT_S)

    row = await settled(world, leaked)
    assert Reason(row.reason) is Reason.AMBIGUOUS
    assert (await world.store.read(verify)).clean


async def test_it_looks_at_most_every_ten_seconds(world: World, secret: str) -> None:
    await world.admit(secret, 10)
    world.clock.ms += LATEST_MS + 1
    watchdog = Watchdog(world.ledger, world.clock.monotonic_ns)

    watchdog.look(world.plane.settle)
    early = world.ledger.hold_leaks
    world.clock.ms += LOOK_NS // 1_000_000
    watchdog.look(world.plane.settle)

    assert (early, world.ledger.hold_leaks) == (0, 1)


async def test_a_settled_hold_lets_its_owner_go(world: World, secret: str) -> None:
    admission: Admission = await world.admit(secret, 10)
    owned = admission.grant.hold.owner

    await world.settle(admission, 7)

    assert (owned, admission.grant.hold.owner) == (admission, None)


async def settled(world: World, admission: Admission) -> usage.Row:
    """The closed row of a request."""
    row = await world.store.read(usage.one, admission.grant.hold.rid)
    assert row is not None
    assert row.settled_ms is not None
    return row
