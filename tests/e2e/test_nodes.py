"""Two daemons on one database: what a budget admits through both, and what operators change through either."""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx
import pytest

from tests.e2e.machine import Machine, nano
from tests.e2e.nodes import all_quiet, nodes

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PARALLEL = 300
FITTING = 101
SLOW = {"model": "up:slow:3000", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}


def client(machine: Machine, key: str) -> httpx.AsyncClient:
    """An HTTP client of one node."""
    headers = {"authorization": f"Bearer {key}"}
    return httpx.AsyncClient(base_url=machine.url, headers=headers, timeout=60, verify=False)


async def ask(http: httpx.AsyncClient, body: object) -> str:
    """The code a request ends with; 200 for an answer."""
    answer = await http.post("/chat/completions", json=body)
    return "200" if answer.status_code == 200 else str(answer.json()["error"]["code"])


async def held_for_one(machine: Machine) -> int:
    """What `SLOW` is held at, in nano-USD."""
    key = machine.new_key(key_name="measure")
    async with client(machine, key) as http:
        assert await ask(http, SLOW) == "200"
    machine.quiet()
    return nano({"cost_usd": machine.usage()[0]["held_usd"]})


async def test_a_budget_for_101_of_300_parallel_requests_through_two_nodes_admits_101() -> None:
    with nodes() as (one, other):
        total = await held_for_one(one) * FITTING
        key = one.new_key(key_name="tight", budget=f"{total // 10**9}.{total % 10**9:09d}")
        async with client(one, key) as first, client(other, key) as second:
            asking = [ask((first, second)[number % 2], SLOW) for number in range(PARALLEL)]
            ended = Counter(await asyncio.gather(*asking))

        print(ended)
        all_quiet([one, other])
        assert ended == {"200": FITTING, "budget_exceeded": PARALLEL - FITTING}
