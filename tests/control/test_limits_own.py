"""Tokens per minute, limits of holders' own, providers' limits, and limits that change while all goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from otari_daemon.control.local import LocalControlPlane
from otari_daemon.control.notes import Notes
from otari_daemon.control.plane import Admission, Ending
from otari_daemon.control.refusal_log import RefusalLog
from otari_daemon.domain.errors import InvalidField, RateLimited
from otari_daemon.domain.intent import Intent
from otari_daemon.domain.limits import Caps, Limits, Quota, Standing
from otari_daemon.domain.records import Reason, rid_of
from otari_daemon.domain.settling import Consumption
from otari_daemon.domain.usage import Usage
from otari_daemon.protocol.messages import KeyCreate, KeyUpdate, LimitUse, UserCreate, UserUpdate
from tests.control.world import ACTOR, CHAT, START_MS, WAIT_S, Entropy, HandClock, World, opened, reopened

START_S = START_MS // 1000


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A world with a thousand tokens per minute and key, and one request at a time at `fake`."""
    limits = Limits(1000, key=Caps(tpm=1000), providers={"fake": Caps(parallel=1)})
    async with opened(tmp_path / "limited.db", HandClock(), Entropy(), limits) as made:
        yield made


async def key_of(world: World, name: str, **fields: int) -> str:
    """A fresh key's secret."""
    made = await world.ops.create_key(KeyCreate(name, user_id="ann", **fields), ACTOR, dry_run=False)  # type: ignore[arg-type]
    assert made.key is not None
    return made.key


async def ask(
    world: World, secret: str, prompt: int, output: int | None, model: str = "up:model"
) -> Admission:
    """Admit a request with a presumed prompt and a limit on its output."""
    intent = Intent(model, False, prompt, prompt, output)
    return await world.plane.admit(await world.caller(secret), intent, world.name_request(), CHAT)


async def told(
    world: World, secret: str, prompt: int, output: int | None, model: str = "up:model"
) -> RateLimited:
    """The limit that refuses a request."""
    with pytest.raises(RateLimited) as caught:
        await ask(world, secret, prompt, output, model)
    return caught.value


async def used(world: World, name: str, limit: str = "tpm") -> int:
    """What is taken of a key's own or default limit."""
    shown = (await world.ops.key(name)).limits
    (found,) = [each.used for each in shown if (each.limit, each.holder) == (limit, f"key:{name}")]
    return found


async def test_tokens_are_reserved_in_full_and_corrected_by_what_was_used(world: World) -> None:
    secret = await key_of(world, "a")

    first = await ask(world, secret, 100, 500)
    assert first.standing == Standing(tokens=Quota(1000, 400, START_S + 60, 60))
    refused = await told(world, secret, 100, 500)
    await world.settle(first, 150)

    assert (refused.retry_after_s, refused.limit) == (60, "tpm of key:a")
    assert refused.message == (
        "this API key is limited to 1000 tokens per minute: 600 are taken and this request could take 600; "
        "retry in 60 s"
    )
    assert refused.standing == Standing(tokens=Quota(1000, 400, START_S + 60, 60))
    assert await used(world, "a") == 150
    await ask(world, secret, 100, 500)
    assert await used(world, "a") == 750


async def test_pictures_reserve_no_more_tokens_than_the_tightest_limit_can_give(world: World) -> None:
    caller = await world.caller(await key_of(world, "a"))
    pieces = Usage(images=3, requests=1)
    intent = Intent("up:model", False, 10, 10, 16_384, choices=3, pieces=pieces)

    admitted = await world.plane.admit(caller, intent, world.name_request(), CHAT)

    assert admitted.standing == Standing(tokens=Quota(1000, 0, START_S + 60, 60))


async def test_tokens_used_beyond_the_reservation_count_from_the_end_of_the_request(world: World) -> None:
    secret = await key_of(world, "a")
    admission = await ask(world, secret, 10, 90)

    world.clock.ms += 30_000
    await world.settle(admission, 700)

    assert await used(world, "a") == 700
    world.clock.ms += 30_000
    assert await used(world, "a") == 600
    world.clock.ms += 30_000
    assert await used(world, "a") == 0


@pytest.mark.parametrize("reason", [Reason.UNSENT, Reason.REFUSED])
async def test_a_request_that_used_nothing_gives_all_its_tokens_back(world: World, reason: Reason) -> None:
    secret = await key_of(world, "a")
    admission = await ask(world, secret, 100, 800)

    world.plane.settle(admission, Ending(reason))

    assert await used(world, "a") == 0


async def test_a_settlement_after_the_minute_gives_nothing_back_twice(world: World) -> None:
    secret = await key_of(world, "a")
    slow = await ask(world, secret, 100, 800)
    world.clock.ms += 61_000
    await ask(world, secret, 100, 300)

    await world.settle(slow, 0)

    assert await used(world, "a") == 400


async def test_what_is_too_large_alone_is_told_so_and_not_to_retry(world: World) -> None:
    secret = await key_of(world, "a")

    refused = await told(world, secret, 100, 901)

    assert not refused.retryable
    assert "this request alone could take 1001; lower max_tokens" in refused.message
    assert await used(world, "a") == 0


async def test_an_answer_without_a_limit_is_reserved_no_more_than_can_ever_be_had(world: World) -> None:
    secret = await key_of(world, "a")

    admission = await ask(world, secret, 100, None)

    assert await used(world, "a") == 1000
    await world.settle(admission, 120)
    assert await used(world, "a") == 120


async def test_a_request_refused_for_its_tokens_does_not_count_as_a_request(world: World) -> None:
    secret = await key_of(world, "a", rpm=2)

    for _ in range(5):
        await told(world, secret, 1, 1000)

    assert await used(world, "a", "rpm") == 0


async def test_a_provider_is_asked_no_more_at_once_whoever_asks(world: World) -> None:
    first, second = await key_of(world, "a"), await key_of(world, "b")
    admission = await ask(world, first, 1, 1, "fake:echo")

    refused = await told(world, second, 1, 1, "fake:echo")
    assert (
        refused.message
        == "provider 'fake' is limited to 1 requests in flight; retry when one of them has ended"
    )
    await ask(world, second, 1, 1)

    await world.settle(admission, 2)
    await ask(world, second, 1, 1, "fake:echo")


async def test_of_several_limits_the_one_with_the_longest_wait_is_named(world: World) -> None:
    secret = await key_of(world, "a", rpm=1, max_parallel=1)
    await ask(world, secret, 1, 1)

    assert (await told(world, secret, 1, 1)).limit == "rpm of key:a"
    world.clock.ms += 60_000
    assert (await told(world, secret, 1, 1)).limit == "max_parallel of key:a"


async def test_own_limits_hold_from_the_next_request_and_survive_a_restart(world: World) -> None:
    secret = await key_of(world, "a", rpm=2)
    await ask(world, secret, 1, 1)

    changed = await world.ops.update_key("a", KeyUpdate(rpm=1, tpm=50), ACTOR, dry_run=False)

    assert changed.limits == (LimitUse("key:a", "rpm", 1, 1, "own"), LimitUse("key:a", "tpm", 50, 2, "own"))
    assert (await told(world, secret, 1, 1)).limit == "rpm of key:a"
    await world.ops.update_key("a", KeyUpdate(tpm=None), ACTOR, dry_run=False)
    async with reopened(world) as later:
        (shown,) = [each.limits for each in await later.ops.keys(0, 10)]
        assert LimitUse("key:a", "rpm", 1, 0, "own") in shown
        assert "own" not in {each.source for each in shown if each.limit == "tpm"}


async def test_a_users_limits_are_shared_by_their_keys_and_go_with_them(world: World) -> None:
    await world.ops.create_user(UserCreate("ann", rpm=5), ACTOR, dry_run=False)
    first, second = await key_of(world, "a"), await key_of(world, "b")
    changed = await world.ops.update_user("ann", UserUpdate(rpm=1), ACTOR, dry_run=False)
    assert changed.limits == (LimitUse("user:ann", "rpm", 1, 0, "own"),)

    await ask(world, first, 1, 1)
    assert (await told(world, second, 1, 1)).limit == "rpm of user:ann"

    await world.ops.delete_user("ann", ACTOR, dry_run=False)
    revived = await world.ops.create_user(UserCreate("ann"), ACTOR, dry_run=False)
    assert revived.limits == ()


async def test_a_deleted_key_leaves_no_limit_behind(world: World) -> None:
    await key_of(world, "a", rpm=2)

    await world.ops.delete_key("a", ACTOR, dry_run=False)

    assert world.seats._caps == {}
    assert not [line for line in world.dump() if line.startswith('INSERT INTO "holder_limit"')]


@pytest.mark.parametrize("field", ["rpm", "tpm", "max_parallel"])
@pytest.mark.parametrize("value", [0, -1, 10**12 + 1])
async def test_a_limit_is_a_whole_number_from_1_on(world: World, field: str, value: int) -> None:
    with pytest.raises(InvalidField) as caught:
        await key_of(world, "a", **{field: value})

    assert caught.value.param == field


async def test_a_rehearsed_limit_is_shown_and_not_set(world: World) -> None:
    secret = await key_of(world, "a")

    shown = await world.ops.update_key("a", KeyUpdate(rpm=1), ACTOR, dry_run=True)

    assert LimitUse("key:a", "rpm", 1, 0, "own") in shown.limits
    for _ in range(3):
        await ask(world, secret, 1, 1)


async def test_another_configurations_limits_meet_what_is_in_flight_and_what_was_taken(world: World) -> None:
    secret = await key_of(world, "a", rpm=10)
    held = [await ask(world, secret, 1, 1) for _ in range(3)]

    world.catalog.limits = Limits(1000, key=Caps(parallel=2), user=Caps(rpm=100))
    notes = Notes(world.activity, world.clock, RefusalLog(world.store))
    later = LocalControlPlane(
        world.seats, world.catalog, world.ledger, notes, world.clock, rid_of, before_dispatch=False
    )
    before, world.plane = world.plane, later

    assert (await told(world, secret, 1, 1)).limit == "max_parallel of key:a"
    seen = Consumption(Usage(input=1))
    for admission in held[:2]:
        assert await before.settle(admission, Ending(Reason.USAGE, seen, 200, 1)).wait(WAIT_S)
    await ask(world, secret, 1, 1)
    assert await used(world, "a", "rpm") == 4
    assert await used(world, "a", "max_parallel") == 2


async def test_status_tells_who_has_most_in_flight(world: World) -> None:
    first, second = await key_of(world, "a"), await key_of(world, "b")
    for secret in (first, first, second):
        await ask(world, secret, 1, 1)

    told = {each.holder: each.requests for each in (await world.ops.status()).busiest}

    assert told == {"user:ann": 3, "provider:up": 3, "key:a": 2, "key:b": 1}


async def test_refusals_are_grouped_by_the_limit_that_refused(world: World) -> None:
    first, second = await key_of(world, "a", rpm=1), await key_of(world, "b")
    await ask(world, first, 1, 1)

    for secret, prompt in ((first, 1), (first, 1), (second, 1001)):
        error = await told(world, secret, prompt, 1)
        caller = await world.caller(secret)
        world.plane.refused(caller, world.name_request(), CHAT, error, "up:model")

    groups = {each.limit: each.count for each in await world.ops.refusals(None)}
    assert groups == {"rpm of key:a": 2, "tpm of key:b": 1}
