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
    InvalidRequest,
    ModelNotAllowed,
    NotFound,
    RateLimited,
    UnpricedModel,
    UserBlocked,
)
from otari_daemon.domain.limits import KEY, PROVIDER, USER, Caps, Limits, Quota, Standing
from otari_daemon.domain.records import Reason
from otari_daemon.protocol.messages import KeyCreate, KeyUpdate, UserUpdate
from tests.control.world import ACTOR, START_MS, Entropy, HandClock, World, opened

START_S = START_MS // 1000
PER_MINUTE = 3
PER_KEY = 2


@pytest.fixture
async def paced(tmp_path: Path) -> AsyncIterator[World]:
    """A world with three requests per minute and user, and two in flight per key."""
    limits = Limits(1000, key=Caps(parallel=PER_KEY), user=Caps(rpm=PER_MINUTE))
    async with opened(tmp_path / "paced.db", HandClock(), Entropy(), limits) as made:
        yield made


@pytest.fixture
async def slotted(tmp_path: Path) -> AsyncIterator[World]:
    """A world with two requests in flight per key, at any rate."""
    limits = Limits(1000, key=Caps(parallel=PER_KEY))
    async with opened(tmp_path / "slotted.db", HandClock(), Entropy(), limits) as made:
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


def requests(remaining: int, reset_s: int) -> Standing:
    """How three requests per minute stand after one of them."""
    return Standing(requests=Quota(PER_MINUTE, remaining, reset_s, 60))


async def test_a_user_shares_one_rate_over_all_keys_and_is_told_how_it_stands(paced: World) -> None:
    first, second = await key_of(paced, "a"), await key_of(paced, "b")

    told = []
    for secret in (first, first, second):
        told.append((await paced.admit(secret, 10)).standing)
        paced.clock.ms += 5_000

    assert told == [requests(2, START_S + 60), requests(1, START_S + 60), requests(0, START_S + 60)]
    refused = await refusal(paced, second)
    assert isinstance(refused, RateLimited)
    assert (refused.status, refused.code, refused.retry_after_s) == (429, "rate_limit_exceeded", 45)
    assert (refused.retry_after_ms, refused.retryable) == (45_000, True)
    assert refused.standing == Standing(requests=Quota(PER_MINUTE, 0, START_S + 60, 55))
    assert refused.message == "user 'ann' is limited to 3 requests per minute; retry in 45 s"
    assert refused.limit == "rpm of user:ann"
    other = await key_of(paced, "c", "bob")
    assert (await paced.admit(other, 10)).standing == requests(2, START_S + 75)


async def test_refused_requests_do_not_put_the_next_one_off(paced: World) -> None:
    first, second = await key_of(paced, "a"), await key_of(paced, "b")
    for secret in (first, first, second):
        await paced.admit(secret, 10)

    paced.clock.ms += 52_500
    assert [(await refusal(paced, second)).retry_after_s for _ in range(5)] == [8] * 5

    paced.clock.ms += 7_499
    assert (await refusal(paced, second)).retry_after_s == 1
    paced.clock.ms += 1
    await paced.admit(second, 10)


async def test_no_minute_sees_more_than_its_number(paced: World) -> None:
    secret = await key_of(paced, "a")
    dice, admitted = random.Random(3), list[int]()

    for _ in range(300):
        paced.clock.ms += dice.choice([0, 1, 999, 1_000, 19_999, 59_999])
        try:
            await paced.settle(await paced.admit(secret, 10), 5)
            admitted.append(paced.clock.ms)
        except RateLimited:
            pass
        assert sum(at > paced.clock.ms - 60_000 for at in admitted) <= PER_MINUTE

    assert len(admitted) > 100


class RunningClock(HandClock):
    """Time that also moves by a nanosecond whenever it is looked at."""

    looks = 0

    def monotonic_ns(self) -> int:
        self.looks += 1
        return super().monotonic_ns() + self.looks


async def test_a_limit_that_frees_in_the_very_moment_refuses_or_admits(tmp_path: Path) -> None:
    clock, told = RunningClock(), list[bool]()
    async with opened(tmp_path / "edge.db", clock, Entropy(), Limits(user=Caps(rpm=1))) as world:
        secret = await key_of(world, "a")
        clock.looks = 100
        await world.admit(secret, 10)
        clock.ms += 60_000
        for looks in range(90, 110):
            clock.looks = looks
            try:
                await world.admit(secret, 10)
                told.append(True)
            except RateLimited:
                told.append(False)

    assert told == [False] * told.index(True) + [True] + [False] * (len(told) - told.index(True) - 1)


async def test_a_key_may_have_so_much_in_flight_and_a_slot_comes_back_with_its_hold(slotted: World) -> None:
    secret, other = await key_of(slotted, "a"), await key_of(slotted, "b")
    held = [await slotted.admit(secret, 10) for _ in range(PER_KEY)]

    refused = await refusal(slotted, secret)

    assert isinstance(refused, RateLimited)
    assert refused.standing == Standing(parallel=Quota(PER_KEY, 0, START_S + 1, 1))
    assert (refused.retry_after_s, refused.limit) == (1, "max_parallel of key:a")
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
    assert slotted.ledger.meters.slots.taken() == {}


async def test_no_limit_is_drawn_on_by_what_another_one_refuses(paced: World) -> None:
    secret = await key_of(paced, "a")
    held = [await paced.admit(secret, 10) for _ in range(PER_KEY)]

    for _ in range(10):
        await refusal(paced, secret)

    await paced.settle(held[0], 5)
    assert (await paced.admit(secret, 10)).standing == requests(0, START_S + 60)
    await paced.settle(held[1], 5)
    before = paced.ledger.meters.slots.taken()
    assert (await refusal(paced, secret)).retry_after_s == 60
    assert paced.ledger.meters.slots.taken() == before


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
    assert paced.ledger.meters.slots.taken() == {}


async def test_429_comes_before_the_refusal_of_a_blocked_user(paced: World) -> None:
    secret = await key_of(paced, "a")
    await paced.ops.update_user("ann", UserUpdate(blocked=True), ACTOR, dry_run=False)

    told = [type(await refusal(paced, secret)) for _ in range(PER_MINUTE + 1)]

    assert told == [UserBlocked] * PER_MINUTE + [RateLimited]


async def test_a_model_that_cannot_be_read_is_400_however_often(paced: World) -> None:
    secret = await key_of(paced, "a")

    told = {type(await refusal(paced, secret, "elsewhere:model")) for _ in range(PER_MINUTE + 1)}

    assert told == {InvalidRequest}


async def test_a_hold_closed_twice_gives_one_slot_back(slotted: World) -> None:
    secret = await key_of(slotted, "a")
    first = await slotted.admit(secret, 10)
    await slotted.admit(secret, 10)
    await slotted.settle(first, 5)

    with pytest.raises(HoldClosedTwice):
        slotted.plane.settle(first, Ending(Reason.UNSENT))

    assert list(slotted.ledger.meters.slots.taken().values()) == [1, 1, 1]


async def test_slots_are_the_books_open_holds_whatever_happens(slotted: World) -> None:
    dice = random.Random(11)
    secrets = [await key_of(slotted, name, user) for name, user in ("ax", "bx", "cy")]
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
        count = Counter[tuple[int, str]]()
        for facts in (admission.grant.facts for admission in held):
            count.update([(KEY, facts.key_id), (USER, facts.user_id), (PROVIDER, facts.provider)])
        assert slotted.ledger.meters.slots.taken() == count

    assert refused > 20
