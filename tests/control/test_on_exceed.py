"""A budget without room: its requests wait in line for what others hold, or run with a cheaper model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from otari_daemon.control.plane import Admission
from otari_daemon.domain.errors import BudgetBusy, BudgetExceeded, InvalidField, ReaderLeft, Unauthenticated
from otari_daemon.domain.intent import Intent
from otari_daemon.domain.limits import Limits
from otari_daemon.protocol.messages import BudgetAssign, BudgetCreate, BudgetUpdate, KeyCreate
from tests.control.world import ACTOR, CHAT, DAY_MS, WAIT_S, Entropy, HandClock, World, opened

EVERYBODY = BudgetAssign("global")


class Client:
    """A client that leaves when it is told to."""

    def __init__(self) -> None:
        self.callbacks: list[Callable[[], None]] = []

    def on_gone(self, callback: Callable[[], None]) -> None:
        self.callbacks.append(callback)

    def forget(self, callback: Callable[[], None]) -> None:
        self.callbacks.remove(callback)

    def leave(self) -> None:
        for callback in self.callbacks:
            callback()


@pytest.fixture
async def hasty(tmp_path: Path) -> AsyncIterator[World]:
    """A world where at most two requests wait, and none for long."""
    limits = Limits(throttled=2, throttle_wait_s=0.05)
    async with opened(tmp_path / "hasty.db", HandClock(), Entropy(), limits) as made:
        yield made


async def under(world: World, on_exceed: str, amount: str = "0.0001") -> str | None:
    """A key under a budget for a hundred tokens of `up:model`."""
    await world.ops.create_budget(
        BudgetCreate("b", amount, per="day", on_exceed=on_exceed), ACTOR, dry_run=False
    )
    await world.ops.assign_budget("b", EVERYBODY, ACTOR, dry_run=False)
    return (await world.ops.create_key(KeyCreate("ci"), ACTOR, dry_run=False)).key


async def in_line(world: World, count: int) -> None:
    """Return once so many requests wait."""
    async with asyncio.timeout(WAIT_S):
        while world.ledger.lines.waiting != count:  # noqa: ASYNC110 - nobody tells when one joins
            await asyncio.sleep(0)


async def test_requests_wait_in_order_for_what_others_hold(world: World) -> None:
    secret = await under(world, "throttle")
    running = await world.admit(secret, 100)
    order: list[int] = []

    async def waits(number: int, tokens: int) -> Admission:
        admitted = await world.admit(secret, tokens)
        order.append(number)
        return admitted

    tasks = []
    for number, tokens in enumerate((60, 50, 1)):
        tasks.append(asyncio.create_task(waits(number, tokens)))
        await in_line(world, number + 1)
    await world.settle(running, 10)
    first = await asyncio.wait_for(tasks[0], WAIT_S)
    await in_line(world, 2)  # fifty do not fit beside sixty, and one does not overtake them
    await world.settle(first, 10)
    await asyncio.wait_for(asyncio.gather(*tasks[1:]), WAIT_S)

    assert order == [0, 1, 2]
    assert world.ledger.lines.waiting == 0


async def test_a_request_that_fits_does_not_overtake_those_in_line(world: World) -> None:
    secret = await under(world, "throttle")
    running = await world.admit(secret, 80)
    waiting = asyncio.create_task(world.admit(secret, 30))
    await in_line(world, 1)

    late = asyncio.create_task(world.admit(secret, 10))
    await in_line(world, 2)

    assert not late.done()
    await world.settle(running, 0)
    await asyncio.wait_for(asyncio.gather(waiting, late), WAIT_S)


async def test_what_cannot_fit_in_this_period_is_refused_at_once(world: World) -> None:
    secret = await under(world, "throttle")
    await world.spend(secret, 50)
    await world.admit(secret, 20)

    with pytest.raises(BudgetExceeded):
        await world.admit(secret, 51)


async def test_one_that_waits_is_refused_once_it_can_never_fit(world: World) -> None:
    secret = await under(world, "throttle")
    running = await world.admit(secret, 100)
    waiting = asyncio.create_task(world.admit(secret, 20))
    await in_line(world, 1)

    await world.settle(running, 90)

    with pytest.raises(BudgetExceeded):
        await asyncio.wait_for(waiting, WAIT_S)


async def test_a_line_that_does_not_move_ends_in_429_with_retry_after(hasty: World) -> None:
    secret = await under(hasty, "throttle")
    await hasty.admit(secret, 100)

    with pytest.raises(BudgetBusy, match="'b' throttles: its room stayed held") as refusal:
        await hasty.admit(secret, 10)

    assert (refusal.value.status, refusal.value.retry_after_s, refusal.value.budget) == (429, 1, "b")
    assert hasty.ledger.lines.waiting == 0


async def test_a_line_is_bounded(world: World, hasty: World) -> None:
    secret = await under(hasty, "throttle")
    await hasty.admit(secret, 100)

    ends = await asyncio.gather(*(hasty.admit(secret, 10) for _ in range(3)), return_exceptions=True)

    messages = [str(end) for end in ends]
    assert all(isinstance(end, BudgetBusy) for end in ends)
    assert sum("too many requests wait" in message for message in messages) == 1


async def test_a_client_that_leaves_leaves_the_line_at_once(world: World) -> None:
    secret = await under(world, "throttle")
    running = await world.admit(secret, 100)
    client, caller = Client(), await world.caller(secret)
    leaver = asyncio.create_task(
        world.plane.admit(caller, Intent("up:model", False, 89, 89, 1), world.name_request(), CHAT, client)
    )
    await in_line(world, 1)
    behind = asyncio.create_task(world.admit(secret, 10))
    await in_line(world, 2)

    client.leave()
    with pytest.raises(ReaderLeft):
        await asyncio.wait_for(leaver, WAIT_S)

    assert (world.ledger.lines.waiting, client.callbacks) == (1, [])
    await world.settle(running, 0)
    await asyncio.wait_for(behind, WAIT_S)


async def test_a_key_that_is_revoked_while_it_waits_is_turned_away(world: World) -> None:
    secret = await under(world, "throttle")
    running = await world.admit(secret, 100)
    waiting = asyncio.create_task(world.admit(secret, 10))
    await in_line(world, 1)

    await world.ops.revoke_key("ci", ACTOR, dry_run=False)
    await world.settle(running, 0)

    with pytest.raises(Unauthenticated):
        await asyncio.wait_for(waiting, WAIT_S)


async def test_a_raised_limit_and_a_new_period_let_the_line_move(world: World) -> None:
    secret = await under(world, "throttle")
    await world.admit(secret, 100)
    waiting = asyncio.create_task(world.admit(secret, 100))
    await in_line(world, 1)
    await world.ops.update_budget("b", BudgetUpdate(max_budget="0.0002"), ACTOR, dry_run=False)
    await asyncio.wait_for(waiting, WAIT_S)

    waiting = asyncio.create_task(world.admit(secret, 100))
    await in_line(world, 1)
    world.clock.ms += DAY_MS
    await asyncio.wait_for(waiting, WAIT_S)


async def test_a_budget_falls_back_to_a_cheaper_model_once(world: World) -> None:
    secret = await under(world, "fallback:fake:echo", "0.00006")

    admitted = await world.admit(secret, 100)

    facts = admitted.grant.facts
    assert (facts.model, facts.provider, admitted.attempts[0].upstream.name) == ("fake:echo", "fake", "fake")
    assert admitted.grant.hold.amount == 99 * 500
    assert admitted.instead is not None
    assert admitted.instead[:2] == ("up:model", "fake:echo")
    await world.settle(admitted, 99)
    told = await world.ops.explain(admitted.request_id)
    assert told.instead is not None
    assert (told.instead.asked, told.instead.budget, told.model) == ("up:model", "b", "fake:echo")
    assert told.charge is not None
    assert told.charge.cost_usd == "0.0000495"


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("fallback:up:model", "its fallback up:model could cost 0.0001, for which 'b' has no room"),
        ("fallback:gone:model", "its fallback cannot serve: model 'gone:model' names no configured"),
        ("fallback:up:unpriced", "its fallback cannot serve: model 'up:unpriced' has no price"),
    ],
)
async def test_a_fallback_that_does_not_help_leaves_the_budgets_refusal(
    world: World, way: str, said: str
) -> None:
    secret = await under(world, way, "0.00006")

    with pytest.raises(BudgetExceeded) as refusal:
        await world.admit(secret, 100)

    assert said in refusal.value.message
    assert refusal.value.budget == "b"
    assert not world.ledger.book.open_holds


async def test_a_fallback_the_key_may_not_use_is_not_used(world: World) -> None:
    await under(world, "fallback:fake:echo", "0.00006")
    new = KeyCreate("narrow", allowed_models=("up:*",))
    secret = (await world.ops.create_key(new, ACTOR, dry_run=False)).key

    with pytest.raises(BudgetExceeded, match="not permitted for this API key"):
        await world.admit(secret, 100)


@pytest.mark.parametrize(
    "text", ["", "warn", "fallback", "fallback:", "fallback:a b", "throttle:10%", "BLOCK"]
)
async def test_an_unknown_way_is_refused(world: World, text: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        await world.ops.create_budget(BudgetCreate("b", "1", on_exceed=text), ACTOR, dry_run=False)
    assert refusal.value.param == "on_exceed"


async def test_free_models_pass_a_budget_of_nothing_and_everything_else_does_not(world: World) -> None:
    secret = await under(world, "block", "0")
    with pytest.raises(BudgetExceeded):
        await world.admit(secret, 1)

    await world.admit(secret, 1, model="fake:echo")  # one free token of output


async def test_a_budget_that_watches_counts_what_it_would_have_refused(world: World) -> None:
    secret = await under(world, "block")
    await world.ops.update_budget("b", BudgetUpdate(mode="shadow"), ACTOR, dry_run=False)

    for tokens in (60, 40, 1, 30):
        await world.spend(secret, tokens)

    (group,) = await world.ops.watched(None)
    assert (group.code, group.budget, group.count) == ("would_exceed", "b", 2)
    assert (group.last.key_name, group.last.model) == ("ci", "up:model")
    assert await world.ops.refusals(None) == []
    await world.spend(secret, 1)
    assert [each.count for each in await world.ops.watched(None)] == [3]
