"""Limits as clients meet them: headers on whole and streamed answers, then 429 with the way out."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

import openai
import pytest

from tests.e2e.machine import Machine

pytestmark = pytest.mark.e2e

HELLO: Any = [{"role": "user", "content": "hi"}]
PER_MINUTE = 3
PARALLEL = 4
CROWD = 200


@pytest.fixture
def limited() -> Iterator[Machine]:
    """A daemon with three requests per minute and user, and one in flight per key."""
    made = Machine(rate_limit_rpm=PER_MINUTE, limits={"max_in_flight_per_key": 1})
    try:
        made.start()
        yield made
    finally:
        made.stop()


def told(headers: Mapping[str, str], kind: str = "") -> tuple[int, int]:
    """Limit and what remains, once the reset is seen to lie within the next minute."""
    if kind:
        assert 0 <= int(headers[f"x-ratelimit-reset-{kind}"].removesuffix("s")) <= 61
    else:
        assert 0 < int(headers["x-ratelimit-reset"]) - time.time() < 62
    dash = f"-{kind}" if kind else ""
    return int(headers[f"x-ratelimit-limit{dash}"]), int(headers[f"x-ratelimit-remaining{dash}"])


async def test_three_requests_in_a_minute_and_the_fourth_is_told_when_to_come_back(limited: Machine) -> None:
    key = await asyncio.to_thread(limited.new_key, key_name="a", user_id="ann")
    other = await asyncio.to_thread(limited.new_key, key_name="b", user_id="bob")

    async with openai.AsyncOpenAI(base_url=limited.url, api_key=key, max_retries=0) as client:
        create = client.chat.completions.with_raw_response.create
        first = await create(model="up:echo", messages=HELLO)
        assert told(first.headers) == told(first.headers, "requests") == (3, 2)
        async with client.chat.completions.with_streaming_response.create(
            model="up:fault:stall_after:2", messages=HELLO, stream=True
        ) as streamed:
            assert told(streamed.headers) == (3, 1)
            with pytest.raises(openai.RateLimitError) as at_once:
                await create(model="up:echo", messages=HELLO)
        await asyncio.to_thread(limited.quiet)  # the client has left; its slot is free with its hold
        assert told((await create(model="up:echo", messages=HELLO)).headers) == (3, 0)
        with pytest.raises(openai.RateLimitError) as too_often:
            await create(model="up:echo", messages=HELLO)
        answer = await client.with_options(api_key=other).chat.completions.with_raw_response.create(
            model="up:echo", messages=HELLO
        )

    assert told(answer.headers) == (3, 2)
    assert told(at_once.value.response.headers) == (1, 0)
    assert at_once.value.response.headers["retry-after"] == "1"
    headers = too_often.value.response.headers
    assert told(headers) == told(headers, "requests") == (3, 0)
    assert 1 <= int(headers["retry-after"]) <= 61
    assert int(headers["retry-after"]) == -(-int(headers["retry-after-ms"]) // 1000)
    assert too_often.value.code == "rate_limit_exceeded"
    assert "user 'ann' is limited to 3 requests per minute" in too_often.value.message
    assert len(await asyncio.to_thread(limited.usage)) == 4
    await asyncio.to_thread(limited.verified)


async def test_tokens_are_reserved_told_and_corrected(machine: Machine) -> None:
    key = await asyncio.to_thread(machine.new_key, key_name="tokens", tpm=1000)

    async with openai.AsyncOpenAI(base_url=machine.url, api_key=key, max_retries=2) as client:
        create = client.chat.completions.with_raw_response.create
        answers = [await create(model="up:echo", messages=HELLO, max_tokens=900) for _ in range(3)]
        left = [told(answer.headers, "tokens")[1] for answer in answers]
        began = time.monotonic()
        with pytest.raises(openai.RateLimitError) as too_large:
            await create(model="up:echo", messages=HELLO, max_tokens=1001)

    used = [answer.parse().usage for answer in answers]
    assert left[0] < 100
    assert all(usage is not None and usage.total_tokens < 50 for usage in used)
    assert left[0] > left[1] > left[2] > 0, "each reserves its own, and the one before has given back"
    assert "lower max_tokens" in too_large.value.message
    assert too_large.value.response.headers["x-should-retry"] == "false"
    assert time.monotonic() - began < 20, "what never fits is not tried again"
    shown = (await asyncio.to_thread(machine.ask, "GET", "/v1/keys/tokens"))["limits"]
    (tokens,) = [each["used"] for each in shown if each["limit"] == "tpm"]
    assert tokens == sum(usage.total_tokens for usage in used if usage is not None)


async def test_of_200_at_once_as_many_reach_the_provider_as_may_and_no_more(machine: Machine) -> None:
    await asyncio.to_thread(machine.ask, "POST", "/v1/users", {"user_id": "crowd", "max_parallel": PARALLEL})
    key = await asyncio.to_thread(machine.new_key, key_name="crowd", user_id="crowd", max_parallel=CROWD)
    before = len(machine.bill())

    async with openai.AsyncOpenAI(base_url=machine.url, api_key=key, max_retries=0) as client:
        endless = await asyncio.gather(*(_admitted(client, "up:fault:stall_after:1") for _ in range(CROWD)))
        busiest = (await asyncio.to_thread(machine.ask, "GET", "/status"))["busiest"]
        held = [stream for stream in endless if stream is not None]
        await asyncio.gather(*(stream.close() for stream in held))
        await asyncio.to_thread(machine.quiet)
        brief = await asyncio.gather(*(_admitted(client, "up:slow:30") for _ in range(CROWD)))
        await asyncio.gather(*(stream.close() for stream in brief if stream is not None))
    await asyncio.to_thread(machine.quiet)

    assert len(held) == PARALLEL
    assert {"holder": "user:crowd", "requests": PARALLEL} in busiest
    spans = [(line.began_ns, line.ended_ns) for line in machine.bill()[before:] if line.ended == "finished"]
    assert len(spans) == len([stream for stream in brief if stream is not None]) >= PARALLEL
    assert _most_at_once(spans) <= PARALLEL
    assert (await asyncio.to_thread(machine.ask, "GET", "/status"))["busiest"] == []


async def _admitted(client: openai.AsyncOpenAI, model: str) -> openai.AsyncStream[Any] | None:
    """A stream that has begun, or None where a limit refused it."""
    try:
        return await client.chat.completions.create(model=model, messages=HELLO, stream=True)
    except openai.RateLimitError:
        return None


async def test_whatever_ends_a_request_its_slot_is_free_with_its_hold(machine: Machine) -> None:
    key = await asyncio.to_thread(machine.new_key, key_name="leaver", max_parallel=2)
    faults = ("echo", "fault:s500", "fault:stall_after:1", "fault:stall_after:1", "fault:rst_mid_body")

    async def one(client: openai.AsyncOpenAI, model: str, stream: bool) -> None:
        asking = client.chat.completions.create(model=f"up:{model}", messages=HELLO, stream=stream)  # type: ignore[call-overload]
        with contextlib.suppress(openai.APIError, TimeoutError):
            await asyncio.wait_for(asking, 0.3)

    for _ in range(3):
        async with openai.AsyncOpenAI(base_url=machine.url, api_key=key, max_retries=0) as client:
            for first, second in zip(faults, reversed(faults), strict=True):
                await asyncio.gather(one(client, first, True), one(client, second, False))

    await asyncio.to_thread(machine.quiet)
    status = await asyncio.to_thread(machine.ask, "GET", "/status")
    assert (status["open_holds"], status["busiest"]) == (0, [])
    async with openai.AsyncOpenAI(base_url=machine.url, api_key=key, max_retries=0) as client:
        await asyncio.gather(
            *(client.chat.completions.create(model="up:echo", messages=HELLO) for _ in range(2))
        )


def _most_at_once(spans: list[tuple[int, int]]) -> int:
    """The most of some spans of time that overlap."""
    changes = sorted([(began, 1) for began, _ in spans] + [(ended, -1) for _, ended in spans])
    most = now = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most
