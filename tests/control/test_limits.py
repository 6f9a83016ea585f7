"""Limits on requests: what is refused, in which order, and that nothing of a limit ever leaks."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from otari_daemon.control.plane import Admission, Ending
from otari_daemon.domain.book import HoldClosedTwice
from otari_daemon.domain.errors import (
    BudgetExceeded,
    GatewayError,
    ModelNotAllowed,
    NotFound,
    RateLimited,
    UnpricedModel,
    UserBlocked,
)
from otari_daemon.domain.limits import Limits, Standing
from otari_daemon.domain.records import Reason
from otari_daemon.protocol.messages import KeyCreate, KeyUpdate, UserUpdate
from tests.control.world import ACTOR, START_MS, Entropy, HandClock, World, opened

START_S = START_MS // 1000
PER_MINUTE = 3
PER_KEY = 2


@pytest.fixture
async def paced(tmp_path: Path) -> AsyncIterator[World]:
    """A world with three requests per minute and user, and two in flight per key."""
    limits = Limits(1000, PER_KEY, PER_MINUTE)
    async with opened(tmp_path / "paced.db", HandClock(), Entropy(), limits) as made:
        yield made


@pytest.fixture
async def slotted(tmp_path: Path) -> AsyncIterator[World]:
    """A world with two requests in flight per key, at any rate."""
    async with opened(tmp_path / "slotted.db", HandClock(), Entropy(), Limits(1000, PER_KEY)) as made:
        yield made


async def key_of(world: World, name: str, user: str = "ann") -> str:
    """A fresh key's secret."""
    made = await world.ops.create_key(KeyCreate(name, user_id=user), ACTOR, dry_run=False)
    assert made.key is not None
    return made.key


async def refusal(world: World, secret: str, model: str = "up:model", tokens: int = 10) -> GatewayError:
    """Why a request is refused."""
    with pytest.raises(GatewayError) as caught:
        await world.admit(secret, tokens, model)
    return caught.value


async def test_a_user_shares_one_rate_over_all_keys_and_is_told_how_it_stands(paced: World) -> None:
    first, second = await key_of(paced, "a"), await key_of(paced, "b")

    told = [(await paced.admit(secret, 10)).standing for secret in (first, first, second)]

    assert told == [
        Standing(3, 2, START_S + 20),
        Standing(3, 1, START_S + 40),
        Standing(3, 0, START_S + 60),
    ]
    refused = await refusal(paced, second)
    assert isinstance(refused, RateLimited)
    assert (refused.status, refused.code, refused.retry_after_s) == (429, "rate_limit_exceeded", 20)
    assert refused.standing == Standing(3, 0, START_S + 60)
    assert "'ann' may make 3 requests per minute; retry in 20 s" in refused.message
    other = await key_of(paced, "c", "bob")
    assert (await paced.admit(other, 10)).standing == Standing(3, 2, START_S + 20)


async def test_refused_requests_do_not_put_the_next_one_off(paced: World) -> None:
    first, second = await key_of(paced, "a"), await key_of(paced, "b")
    for secret in (first, first, second):
        await paced.admit(secret, 10)

    paced.clock.ms += 12_500
    assert [(await refusal(paced, second)).retry_after_s for _ in range(5)] == [8] * 5

    paced.clock.ms += 7_499
    assert (await refusal(paced, second)).retry_after_s == 1
    paced.clock.ms += 1
    await paced.admit(second, 10)


async def test_a_key_may_have_so_much_in_flight_and_a_slot_comes_back_with_its_hold(slotted: World) -> None:
    secret, other = await key_of(slotted, "a"), await key_of(slotted, "b")
    held = [await slotted.admit(secret, 10) for _ in range(PER_KEY)]

    refused = await refusal(slotted, secret)

    assert isinstance(refused, RateLimited)
    assert (refused.retry_after_s, refused.standing) == (1, Standing(PER_KEY, 0, START_S + 2))
    assert (await slotted.admit(other, 10)).standing is None
    await slotted.settle(held[0], 5)
    await slotted.admit(secret, 10)
    assert (await refusal(slotted, secret)).status == 429


async def test_a_changed_key_keeps_its_slots(slotted: World) -> None:
    secret = await key_of(slotted, "a")
    held = [await slotted.admit(secret, 10) for _ in range(PER_KEY)]

    await slotted.ops.update_key("a", KeyUpdate(metadata={"changed": True}), ACTOR, dry_run=False)

    assert (await refusal(slotted, secret)).status == 429
    for admission in held:
        await slotted.settle(admission, 5)
    assert slotted.ledger.slots.taken() == {}


async def test_no_limit_is_drawn_on_by_what_another_one_refuses(paced: World) -> None:
    secret = await key_of(paced, "a")
    held = [await paced.admit(secret, 10) for _ in range(PER_KEY)]

    for _ in range(10):
        await refusal(paced, secret)

    await paced.settle(held[0], 5)
    assert (await paced.admit(secret, 10)).standing == Standing(3, 0, START_S + 60)
    await paced.settle(held[1], 5)
    before = paced.ledger.slots.taken()
    assert (await refusal(paced, secret)).retry_after_s == 20
    assert paced.ledger.slots.taken() == before


@pytest.mark.parametrize(
    ("model", "tokens", "otherwise"),
    [
        ("nobody", 10, NotFound),
        ("fake:echo", 10, ModelNotAllowed),
        ("up:unpriced", 10, UnpricedModel),
        ("up:model", 10_000, BudgetExceeded),
    ],
)
async def test_429_comes_before_every_refusal_of_a_model_or_a_budget_and_these_count(
    paced: World, model: str, tokens: int, otherwise: type[GatewayError]
) -> None:
    fields = KeyCreate("a", user_id="ann", allowed_models=("up:*",), budget="0.001")
    made = await paced.ops.create_key(fields, ACTOR, dry_run=False)
    assert made.key is not None

    told = [type(await refusal(paced, made.key, model, tokens)) for _ in range(PER_MINUTE + 1)]

    assert told == [otherwise] * PER_MINUTE + [RateLimited]
    assert paced.ledger.slots.taken() == {}


async def test_429_comes_before_the_refusal_of_a_blocked_user(paced: World) -> None:
    secret = await key_of(paced, "a")
    await paced.ops.update_user("ann", UserUpdate(blocked=True), ACTOR, dry_run=False)

    told = [type(await refusal(paced, secret)) for _ in range(PER_MINUTE + 1)]

    assert told == [UserBlocked] * PER_MINUTE + [RateLimited]


async def test_a_hold_closed_twice_gives_one_slot_back(slotted: World) -> None:
    secret = await key_of(slotted, "a")
    first = await slotted.admit(secret, 10)
    await slotted.admit(secret, 10)
    await slotted.settle(first, 5)

    with pytest.raises(HoldClosedTwice):
        slotted.plane.settle(first, Ending(Reason.UNSENT))

    assert list(slotted.ledger.slots.taken().values()) == [1]


async def test_slots_are_the_books_open_holds_whatever_happens(slotted: World) -> None:
    dice = random.Random(11)
    secrets = [await key_of(slotted, name) for name in "abc"]
    held: list[Admission] = []
    refused = 0

    for _ in range(400):
        if held and dice.random() < 0.45:
            reason = dice.choice([Reason.UNSENT, Reason.REFUSED, Reason.CLIENT_CUT, Reason.AMBIGUOUS])
            slotted.plane.settle(held.pop(dice.randrange(len(held))), Ending(reason))
        else:
            try:
                held.append(await slotted.admit(dice.choice(secrets), 10))
            except RateLimited:
                refused += 1
        open_holds = slotted.ledger.book.open_holds
        assert open_holds.keys() == {admission.grant.hold.rid for admission in held}
        assert slotted.ledger.slots.taken() == Counter(admission.caller.key_id for admission in held)

    assert refused > 20
