"""A provider's bill against the books: what differs is named, and single requests are corrected once."""

from __future__ import annotations

import pytest

from otari_daemon.control.plane import Ending
from otari_daemon.domain.errors import InvalidField
from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.domain.usage import Usage
from otari_daemon.protocol.messages import (
    BilledLine,
    KeyCreate,
    PriceSet,
    Reconcile,
    ReconcileReport,
    Reprice,
    UsageQuery,
)
from tests.control.world import ACTOR, WAIT_S, World

DAY = "2025-06-15"


async def ask(world: World, tokens: int, ref: str = "") -> str:
    """A request that cost `tokens` thousand nano-USD, called `ref` by its provider; our name for it."""
    if not await world.ops.keys(0, 1):
        world.secret = (  # type: ignore[attr-defined]
            await world.ops.create_key(KeyCreate("ci", budget="1"), ACTOR, dry_run=False)
        ).key
    world.clock.ms += 1
    admission = await world.admit(world.secret, tokens)  # type: ignore[attr-defined]
    ending = Ending(Reason.USAGE, Consumption(Usage(input=tokens)), 200, provider_ref=ref)
    assert await world.plane.settle(admission, ending).wait(WAIT_S)
    return admission.request_id


async def reconcile(
    world: World, *lines: BilledLine, dry_run: bool = False, tolerance: str = "0", debits: bool = False
) -> ReconcileReport:
    asked = Reconcile("up", lines, tolerance, debits)
    return await world.ops.reconcile(asked, ACTOR, dry_run=dry_run)


def billed(nano: int, ref: str) -> BilledLine:
    return BilledLine(str(nano), ref)


async def test_requests_are_found_by_the_providers_name_and_by_ours(world: World) -> None:
    await ask(world, 400, "req_abc")
    ours = await ask(world, 300)

    told = await reconcile(world, billed(400_000, "req_abc"), billed(100_000, ours), billed(200_000, ours))

    assert (told.matched, told.within_tolerance, told.differing) == (2, 2, 0)
    assert (told.charged_usd, told.billed_usd) == ("0.0007", "0.0007")


async def test_a_lower_bill_is_credited_once(world: World) -> None:
    ours = await ask(world, 400, "a")
    line = BilledLine("150000", "a", None, DAY)

    looked, first, second = (
        await reconcile(world, line, dry_run=True),
        await reconcile(world, line),
        await reconcile(world, line),
    )

    (difference,) = looked.differences
    assert (difference.kind, difference.delta_usd, difference.request_id) == ("differs", "-0.00025", "a")
    assert (looked.made, first.made, second.made, second.differing) == (0, 1, 0, 0)
    (row,) = (await world.ops.usage(UsageQuery(request_id=ours))).rows
    assert (row.cost_usd, row.corrected_usd) == ("0.00015", "-0.00025")
    assert (await world.ops.explain(ours)).provider_request_id == "a"
    assert (await world.ops.verify()).ok


async def test_a_higher_bill_needs_leave(world: World) -> None:
    await ask(world, 400, "a")

    refused = await reconcile(world, billed(500_000, "a"))
    made = await reconcile(world, billed(500_000, "a"), debits=True)

    assert (refused.made, refused.debits_refused) == (0, 1)
    assert (made.made, made.debits_refused) == (1, 0)
    assert (await world.ops.verify()).ok


async def test_small_differences_pass_and_strangers_are_named(world: World) -> None:
    await ask(world, 400, "a")

    told = await reconcile(world, billed(400_009, "a"), billed(7_000, "b"), tolerance="0.000001")

    assert (told.within_tolerance, told.made) == (1, 0)
    assert [(each.kind, each.request_id) for each in told.differences] == [("unknown", "b")]


async def test_a_bill_without_requests_is_compared_by_model_and_day(world: World) -> None:
    await ask(world, 400)
    await ask(world, 300)

    even = await reconcile(world, BilledLine("700000", None, "model-2025-01-31", DAY))
    off = await reconcile(
        world, BilledLine("9", None, "other", DAY), BilledLine("5", None, "model", "2025-06-14")
    )

    assert (even.matched, even.within_tolerance, even.differences) == (2, 2, ())
    assert {(each.kind, each.model, each.day) for each in off.differences} == {
        ("unknown", "other", DAY),
        ("unknown", "model", "2025-06-14"),
        ("unbilled", "up:model", DAY),
    }
    assert (even.made, off.made) == (0, 0)


async def test_a_reconciled_request_is_not_priced_again(world: World) -> None:
    await ask(world, 400, "a")
    await reconcile(world, billed(100_000, "a"))
    price = PriceSet("up:model", "0.5", "0.5", effective_at="1970-01-01T00:00:00Z")
    await world.ops.set_price(price, ACTOR, dry_run=False)

    told = await world.ops.reprice(Reprice(), ACTOR, dry_run=False)

    assert (told.reconciled, told.made) == (1, 0)


async def test_a_bill_of_nothing_gives_everything_back_and_never_more(world: World) -> None:
    await ask(world, 400, "a")

    await reconcile(world, billed(0, "a"))
    below = await reconcile(world, billed(-5, "a"))

    assert below.made == 0
    assert (await world.ops.usage(UsageQuery())).rows[0].cost_usd == "0.00"
    assert (await world.ops.verify()).ok


@pytest.mark.parametrize(
    "line",
    [
        BilledLine("1.5", "a"),
        BilledLine("9" * 19, "a"),
        BilledLine("1"),
        BilledLine("1", None, "model"),
        BilledLine("1", None, "model", "2025-02-30"),
        BilledLine("1", None, "model", "yesterday"),
    ],
)
async def test_a_line_that_says_nothing_is_refused(world: World, line: BilledLine) -> None:
    with pytest.raises(InvalidField):
        await reconcile(world, line)


async def test_a_provider_that_is_not_there_is_refused(world: World) -> None:
    with pytest.raises(InvalidField, match="configured: fake, up"):
        await world.ops.reconcile(Reconcile("nobody", ()), ACTOR, dry_run=True)
