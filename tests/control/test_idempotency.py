"""Idempotency keys in the control plane: who goes on, what the others are told, what a restart remembers."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest

from otari_daemon.control.plane import Admission, Caller, Ending
from otari_daemon.domain.errors import (
    AlreadyCompleted,
    GatewayError,
    KeyInUse,
    KeyReused,
    KeysExhausted,
    UserBlocked,
)
from otari_daemon.domain.idempotency import (
    ANSWER_BYTES_MAX,
    ANSWER_BYTES_PER_KEY_MAX,
    NAMES_PER_KEY_MAX,
    RETENTION_MS,
    Claim,
    Kept,
)
from otari_daemon.domain.intent import Intent
from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.domain.usage import Usage
from otari_daemon.protocol.messages import KeyCreate, UserUpdate
from otari_daemon.store import idempotency
from tests.control.world import ACTOR, CHAT, WAIT_S, World, reopened

BODY, OTHER = b"b" * 32, b"o" * 32
ANSWER = Kept(b'{"answer": 1}', b"application/json", "up")


async def key_of(world: World, name: str = "ci") -> str:
    """A fresh key's secret."""
    made = await world.ops.create_key(KeyCreate(name, user_id="ann"), ACTOR, dry_run=False)
    assert made.key is not None
    return made.key


async def claim(world: World, secret: str, name: str = "n", body: bytes = BODY) -> Claim | Kept:
    """Ask under a name."""
    return await world.plane.claim(await world.caller(secret), CHAT, name, body)


async def begin(world: World, secret: str, name: str = "n") -> Admission:
    """A request under a name that is admitted, with its hold on disk."""
    claimed = await claim(world, secret, name)
    assert isinstance(claimed, Claim)
    caller: Caller = await world.caller(secret)
    intent = Intent("up:model", False, 9, 9, 1)
    admission = await world.plane.admit(caller, intent, world.name_request(), CHAT, claim=claimed)
    assert await admission.opened.wait(WAIT_S)
    return admission


async def end(world: World, admission: Admission, reason: Reason, status: int = 200) -> None:
    """Settle at seven tokens, or at nothing where the reason says so, and wait for the disk."""
    seen = Consumption(Usage(input=7) if reason is Reason.USAGE else None)
    assert await world.plane.settle(admission, Ending(reason, seen, status)).wait(WAIT_S)


async def refusal(world: World, secret: str, name: str = "n", body: bytes = BODY) -> GatewayError:
    """Why a second request of a name is not made."""
    with pytest.raises(GatewayError) as caught:
        await claim(world, secret, name, body)
    return caught.value


async def test_of_many_requests_at_once_one_goes_on(world: World) -> None:
    secret = await key_of(world)

    found = await asyncio.gather(*(claim(world, secret) for _ in range(50)), return_exceptions=True)

    assert sum(isinstance(each, Claim) for each in found) == 1
    assert sum(isinstance(each, KeyInUse) for each in found) == 49


async def test_a_finished_request_is_answered_again_for_the_same_body_only(world: World) -> None:
    secret = await key_of(world)
    admission = await begin(world, secret)
    running = await refusal(world, secret)
    other_while_running = await refusal(world, secret, body=OTHER)
    world.plane.keep(admission, ANSWER)
    await end(world, admission, Reason.USAGE)

    again, other = await claim(world, secret), await refusal(world, secret, body=OTHER)

    assert isinstance(running, KeyInUse)
    assert (running.status, running.code, running.retry_after_s) == (409, "idempotency_key_in_use", 1)
    assert isinstance(other_while_running, KeyReused)
    assert again == ANSWER
    assert isinstance(other, KeyReused)
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    assert len(world.ledger.claims) == 0


async def test_an_answer_that_was_not_kept_leaves_its_usage(world: World) -> None:
    secret = await key_of(world)
    admission = await begin(world, secret)
    await end(world, admission, Reason.USAGE)

    error = await refusal(world, secret)

    assert isinstance(error, AlreadyCompleted)
    done = error.completed
    assert (error.status, error.code) == (409, "already_completed")
    assert (done.request_id, done.reason, done.status) == (admission.request_id, Reason.USAGE, 200)
    assert (done.usage.input, done.amount) == (7, 7_000)


async def test_a_name_belongs_to_one_key_and_one_route(world: World) -> None:
    secret, other = await key_of(world), await key_of(world, "other")
    await begin(world, secret)

    elsewhere = await world.plane.claim(await world.caller(secret), "/v1/other", "n", BODY)

    assert isinstance(elsewhere, Claim)
    assert isinstance(await claim(world, other), Claim)


async def test_a_voided_request_frees_its_name_and_its_row(world: World) -> None:
    secret = await key_of(world)
    await end(world, await begin(world, secret), Reason.REFUSED, 429)

    again = await claim(world, secret, body=OTHER)

    assert isinstance(again, Claim)
    assert rows(world) == 0


async def test_a_request_that_is_not_admitted_gives_its_name_back(world: World) -> None:
    secret = await key_of(world)
    claimed = await claim(world, secret)
    assert isinstance(claimed, Claim)

    world.plane.unclaim(claimed)

    assert isinstance(await claim(world, secret), Claim)


async def test_giving_back_twice_does_not_free_the_name_of_the_next_request(world: World) -> None:
    secret = await key_of(world)
    first = await claim(world, secret)
    assert isinstance(first, Claim)
    world.plane.unclaim(first)
    await claim(world, secret)

    world.plane.unclaim(first)

    assert isinstance(await refusal(world, secret), KeyInUse)


async def test_the_next_daemon_knows_what_the_last_one_finished(world: World) -> None:
    secret = await key_of(world)
    admission = await begin(world, secret, "whole")
    world.plane.keep(admission, ANSWER)
    await end(world, admission, Reason.USAGE)
    await begin(world, secret, "cut")

    async with reopened(world) as later:
        whole, cut = await claim(later, secret, "whole"), await refusal(later, secret, "cut")

    assert whole == ANSWER
    assert isinstance(cut, AlreadyCompleted)
    assert (cut.completed.reason, cut.completed.status) == (Reason.CRASH, 0)


async def test_a_name_is_forgotten_after_a_day(world: World) -> None:
    secret = await key_of(world)
    await end(world, await begin(world, secret), Reason.USAGE)
    world.clock.ms += RETENTION_MS

    again = await claim(world, secret, body=OTHER)
    removed = await world.store.write(idempotency.expire, world.clock.ms - RETENTION_MS)

    assert isinstance(again, Claim)
    assert (removed, rows(world)) == (1, 0)


async def test_a_key_that_has_used_all_its_names_is_refused_new_ones_only(world: World) -> None:
    secret = await key_of(world)
    await end(world, await begin(world, secret, "old"), Reason.USAGE)
    fill(world, NAMES_PER_KEY_MAX - 1, 0)

    full, old = await refusal(world, secret, "new"), await refusal(world, secret, "old")
    world.clock.ms += RETENTION_MS

    assert isinstance(full, KeysExhausted)
    assert (full.status, full.retry_after_s) == (429, RETENTION_MS // 1000)
    assert isinstance(old, AlreadyCompleted)
    assert len(world.ledger.claims) == 0
    assert isinstance(await claim(world, secret, "new"), Claim)


@pytest.mark.parametrize(
    ("before", "size", "kept"),
    [
        (0, ANSWER_BYTES_MAX, True),
        (0, ANSWER_BYTES_MAX + 1, False),
        (ANSWER_BYTES_PER_KEY_MAX - 10, 10, True),
        (ANSWER_BYTES_PER_KEY_MAX - 10, 11, False),
    ],
)
async def test_answers_are_kept_within_their_bounds(world: World, before: int, size: int, kept: bool) -> None:
    secret = await key_of(world)
    await end(world, await begin(world, secret, "old"), Reason.USAGE)
    fill(world, 1, before)
    admission = await begin(world, secret)
    answer = Kept(b"x" * size, b"text/plain", "up")

    world.plane.keep(admission, answer)
    await end(world, admission, Reason.USAGE)

    if kept:
        assert await claim(world, secret) == answer
    else:
        assert isinstance(await refusal(world, secret), AlreadyCompleted)


async def test_a_blocked_user_is_not_answered_again(world: World) -> None:
    secret = await key_of(world)
    admission = await begin(world, secret)
    world.plane.keep(admission, ANSWER)
    await end(world, admission, Reason.USAGE)
    await world.ops.update_user("ann", UserUpdate(blocked=True), ACTOR, dry_run=False)

    assert isinstance(await refusal(world, secret), UserBlocked)


def rows(world: World) -> int:
    """How many names are on disk."""
    with sqlite3.connect(world.path) as con:
        (count,) = con.execute("SELECT count(*) FROM idempotency").fetchone()
    con.close()
    return int(count)


def fill(world: World, count: int, answer_bytes: int) -> None:
    """Give the key that has names `count` more, with answers of so many bytes as far as anybody looks."""
    with sqlite3.connect(world.path, timeout=WAIT_S) as con:
        con.execute(
            """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
            INSERT INTO idempotency SELECT key_id, endpoint, 'fill' || i, fingerprint, rid, created_ms, ?,
            NULL, NULL, NULL FROM idempotency, n WHERE name = 'old'""",
            (count, answer_bytes),
        )
    con.close()
