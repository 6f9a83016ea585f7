"""Usage: pages without gaps, filters by id and name, sums."""

from __future__ import annotations

import pytest

from otari_daemon.domain.errors import Conflict, InvalidField
from otari_daemon.protocol.messages import KeyCreate, UsageQuery, UsageRow
from tests.control.world import ACTOR, DAY_MS, PRICE, START_MS, World


async def furnish(world: World, count: int = 5) -> tuple[str, str]:
    """Two keys of two users, `count` requests by each, a second apart; the ids of the keys."""
    made = [
        await world.ops.create_key(KeyCreate(name, user_id=f"user-{name}"), ACTOR, dry_run=False)
        for name in ("a", "b")
    ]
    for number in range(count):
        for key in made:
            world.clock.ms = START_MS + 1000 * number
            await world.spend(key.key, 1000 + number)
    return made[0].id, made[1].id


async def test_a_settled_request_is_shown_whole(world: World) -> None:
    key_id, _ = await furnish(world, 1)

    (row,) = (await world.ops.usage(UsageQuery(key="a"))).rows

    assert (row.api_key_id, row.key_name, row.user_id) == (key_id, "a", "user-a")
    assert (row.model, row.provider, row.endpoint) == (PRICE.model, "up", "/v1/chat/completions")
    assert (row.prompt_tokens, row.completion_tokens, row.total_tokens) == (1000, 0, 1000)
    assert (row.cost_usd, row.cost, row.held_usd) == ("0.001", 0.001, "0.001")
    assert (row.status, row.status_code, row.reason, row.first_byte_ms) == ("success", 200, "usage", 1.5)
    assert row.timestamp == "2025-06-15T15:06:40.000Z"
    assert await world.ops.usage(UsageQuery(request_id=row.request_id)) == await world.ops.usage(
        UsageQuery(key=key_id)
    )


async def test_a_refused_or_unanswered_request_is_an_error_and_an_open_one_is_not_usage_yet(
    world: World,
) -> None:
    made = await world.ops.create_key(KeyCreate("a"), ACTOR, dry_run=False)
    for status in (502, 0):
        await world.settle(await world.admit(made.key, 10), 10, status)
    still_open = await world.admit(made.key, 10)
    assert await still_open.opened.wait(10)

    page = await world.ops.usage(UsageQuery())

    assert sorted((row.status, row.status_code) for row in page.rows if row.status_code) == [("error", 502)]
    assert [row.status for row in page.rows] == ["error", "error"]
    assert (await world.ops.usage(UsageQuery(request_id=still_open.request_id))).rows == ()


@pytest.mark.parametrize("limit", [1, 3, 4, 10, 11])
async def test_pages_follow_each_other_without_a_gap_past_requests_that_are_open(
    world: World, limit: int
) -> None:
    await furnish(world)
    made = await world.ops.create_key(KeyCreate("c"), ACTOR, dry_run=False)
    for _ in range(3):
        assert await (await world.admit(made.key, 10)).opened.wait(10)
    whole = (await world.ops.usage(UsageQuery())).rows

    seen: list[UsageRow] = []
    cursor = None
    for _ in range(20):
        page = await world.ops.usage(UsageQuery(cursor=cursor, limit=limit))
        seen += page.rows
        cursor = page.next_cursor
        if cursor is None:
            break

    assert len(whole) == 10
    assert tuple(seen) == whole
    assert [row.timestamp for row in seen] == sorted((row.timestamp for row in seen), reverse=True)
    skipped = await world.ops.usage(UsageQuery(skip=4, limit=3))
    assert skipped.rows == whole[4:7]


async def test_filters_narrow_by_key_user_model_provider_and_time(world: World) -> None:
    key_id, _ = await furnish(world)

    async def count(**fields: str) -> int:
        return len((await world.ops.usage(UsageQuery(**fields))).rows)  # type: ignore[arg-type]

    assert await count(key="a") == await count(key=key_id) == await count(user="user-a") == 5
    assert await count(key="gone") == await count(model="up:other") == await count(provider="fake") == 0
    assert await count(model="up:model", provider="up") == 10
    assert await count(since="2025-06-15T15:06:42Z") == 6
    assert await count(since="2025-06-15T15:06:42Z", until="2025-06-15T15:06:43Z") == 2
    assert await count(since="1750000002") == await count(since="1750000001.001") == 6
    world.clock.ms = START_MS + DAY_MS + 2000
    assert await count(since="24h") == 6
    assert await count(since="7d", key="b") == 5


async def test_usage_of_a_deleted_key_is_found_by_its_id(world: World) -> None:
    key_id, _ = await furnish(world, 1)
    await world.ops.delete_key("a", ACTOR, dry_run=False)

    (row,) = (await world.ops.usage(UsageQuery(key=key_id))).rows

    assert (row.key_name, row.api_key_id) == (None, key_id)


async def test_usage_is_summed_by_what_is_asked(world: World) -> None:
    key_id, _ = await furnish(world)
    await world.ops.delete_key("a", ACTOR, dry_run=False)

    by_key = await world.ops.usage_summary("key", UsageQuery())
    by_day = await world.ops.usage_summary("day", UsageQuery(user="user-b"))

    assert sorted(row.group for row in by_key) == sorted([key_id, "b"])
    (day,) = by_day
    assert (day.group, day.requests, day.prompt_tokens, day.cost_usd) == ("2025-06-15", 5, 5010, "0.00501")


@pytest.mark.parametrize(
    ("query", "param"),
    [
        (UsageQuery(since="yesterday"), "since"),
        (UsageQuery(until="999999999999"), "until"),
        (UsageQuery(cursor="1"), "cursor"),
        (UsageQuery(cursor="9" * 19 + "-" + "0" * 32), "cursor"),
        (UsageQuery(skip=100_001), "skip"),
    ],
)
async def test_a_question_that_cannot_be_read_is_refused_by_field(
    world: World, query: UsageQuery, param: str
) -> None:
    with pytest.raises(InvalidField) as refusal:
        await world.ops.usage(query)
    assert refusal.value.param == param


async def test_usage_of_an_ambiguous_name_is_a_conflict(world: World) -> None:
    for _ in range(2):
        await world.ops.create_key(KeyCreate("ci"), ACTOR, dry_run=False)

    with pytest.raises(Conflict):
        await world.ops.usage(UsageQuery(key="ci"))
    assert (await world.ops.usage(UsageQuery(request_id="nonsense"))).rows == ()
