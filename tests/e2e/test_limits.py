"""Rate limits as clients meet them: headers on whole and streamed answers, then 429 with the way out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from typing import Any

import openai
import pytest

from tests.e2e.machine import Machine

pytestmark = pytest.mark.e2e

HELLO: Any = [{"role": "user", "content": "hi"}]
PER_MINUTE = 3


@pytest.fixture
def limited() -> Iterator[Machine]:
    """A daemon with three requests per minute and user, and one in flight per key."""
    made = Machine(rate_limit_rpm=PER_MINUTE, limits={"max_in_flight_per_key": 1})
    try:
        made.start()
        yield made
    finally:
        made.stop()


def told(headers: Mapping[str, str]) -> tuple[int, int]:
    """Limit and what remains, once the reset is seen to lie within the next minute."""
    assert 0 < int(headers["x-ratelimit-reset"]) - time.time() < 62
    return int(headers["x-ratelimit-limit"]), int(headers["x-ratelimit-remaining"])


async def test_three_requests_in_a_minute_and_the_fourth_is_told_when_to_come_back(limited: Machine) -> None:
    key = await asyncio.to_thread(limited.new_key, key_name="a", user_id="ann")
    other = await asyncio.to_thread(limited.new_key, key_name="b", user_id="bob")

    async with openai.AsyncOpenAI(base_url=limited.url, api_key=key, max_retries=0) as client:
        create = client.chat.completions.with_raw_response.create
        first = await create(model="up:echo", messages=HELLO)
        assert told(first.headers) == (3, 2)
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
    assert told(too_often.value.response.headers) == (3, 0)
    assert 1 <= int(too_often.value.response.headers["retry-after"]) <= 20
    assert too_often.value.code == "rate_limit_exceeded"
    assert len(await asyncio.to_thread(limited.usage)) == 4
    await asyncio.to_thread(limited.verified)
