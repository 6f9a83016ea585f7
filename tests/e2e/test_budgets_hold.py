"""A budget that fits exactly k of many parallel requests admits exactly k."""

from __future__ import annotations

import asyncio

import openai
import pytest

from tests.e2e.machine import nano

pytestmark = pytest.mark.e2e

PARALLEL = 300
FITTING = 37
HELLO = [{"role": "user", "content": "hi"}]


async def one(client: openai.AsyncOpenAI) -> int:
    """Ask for an answer that takes its time; return the status."""
    try:
        await client.chat.completions.create(model="up:slow:3000", messages=HELLO, max_tokens=50)
    except openai.PermissionDeniedError as error:
        return error.status_code if error.body["code"] == "budget_exceeded" else 0
    return 200


async def hold_of_one(machine) -> int:
    """What one such request is held at, in nano-USD: learned from a key without a budget."""
    key = await asyncio.to_thread(machine.new_key, key_name="measure")
    async with openai.AsyncOpenAI(base_url=machine.url, api_key=key, max_retries=0) as client:
        await one(client)
    row = (await asyncio.to_thread(machine.usage))[0]
    return nano({"cost_usd": row["held_usd"]})


async def test_300_parallel_requests_on_a_budget_for_37_admit_37(fresh_machine):
    machine = fresh_machine
    held = await hold_of_one(machine)
    budget = f"{held * FITTING // 10**9}.{held * FITTING % 10**9:09d}"
    key = await asyncio.to_thread(machine.new_key, key_name="tight", budget=budget)

    async with openai.AsyncOpenAI(base_url=machine.url, api_key=key, max_retries=0, timeout=60) as client:
        statuses = await asyncio.gather(*(one(client) for _ in range(PARALLEL)))

    assert sorted(statuses) == [200] * FITTING + [403] * (PARALLEL - FITTING)
    await asyncio.to_thread(machine.quiet)
    await asyncio.to_thread(machine.verified)


async def test_a_refusal_names_the_budget_and_is_not_repeated_by_the_sdk(fresh_machine):
    key = await asyncio.to_thread(fresh_machine.new_key, key_name="broke", budget="0.000000001/day")

    async with openai.AsyncOpenAI(base_url=fresh_machine.url, api_key=key, max_retries=2) as client:
        with pytest.raises(openai.PermissionDeniedError) as caught:
            await client.chat.completions.create(model="up:echo", messages=HELLO)

    assert "broke" in caught.value.body["message"]
    assert fresh_machine.bill() == []
