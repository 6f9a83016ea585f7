"""Two daemons on one database: what a budget admits through both, what operators change through either."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

import httpx
import pytest

from tests.e2e.machine import Machine, nano
from tests.e2e.nodes import all_quiet, ask, client, nodes, usd

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PARALLEL = 300
FITTING = 101
SEEN_S = 1.0
"""Within this a change made on one node holds on the others."""

SLACK_S = 4.0
"""What a busy machine may add to that before a test calls it broken."""

HELLO = [{"role": "user", "content": "hi"}]
SLOW = {"model": "up:slow:6000", "max_tokens": 50, "messages": HELLO}
ECHO = {"model": "up:echo", "max_tokens": 50, "messages": HELLO}
ROOMY = {"max_in_flight_per_key": 5000, "max_in_flight_per_user": 5000, "max_in_flight_per_provider": 1000}


async def held_for_one(machine: Machine) -> int:
    """What `SLOW` is held at, in nano-USD."""
    key = machine.new_key(key_name="measure")
    async with client(machine, key) as http:
        assert await ask(http, SLOW) == "200"
    machine.quiet()
    return nano({"cost_usd": machine.usage()[0]["held_usd"]})


async def test_a_budget_for_101_of_300_parallel_requests_through_two_nodes_admits_101() -> None:
    with nodes(limits=ROOMY) as (one, other):
        key = one.new_key(key_name="tight", budget=usd(await held_for_one(one) * FITTING))
        async with client(one, key) as first, client(other, key) as second:
            asking = [ask((first, second)[number % 2], SLOW) for number in range(PARALLEL)]
            ended = Counter(await asyncio.gather(*asking))

        all_quiet([one, other])
        assert ended == {"200": FITTING, "budget_exceeded": PARALLEL - FITTING}


async def until(http: httpx.AsyncClient, wanted: str) -> float:
    """Ask until a request ends with the code `wanted`; return how long that took, in seconds."""
    began_s = time.monotonic()
    while await ask(http, ECHO) != wanted:
        assert time.monotonic() < began_s + SEEN_S + SLACK_S, f"never {wanted}"
        await asyncio.sleep(0.02)
    return time.monotonic() - began_s


async def test_what_operators_change_on_one_node_holds_on_the_other_within_a_second() -> None:
    with nodes() as (one, other):
        made = one.ask("POST", "/v1/keys", {"key_name": "roaming", "budget": "5"})
        budget = one.ask("GET", f"/v1/keys/{made['id']}")["budgets"][0]["budget_id"]
        async with client(other, made["key"]) as http:
            waited = [await until(http, "200")]
            one.ask("PATCH", f"/v1/budgets/{budget}", {"max_budget": "0.000000001"})
            waited.append(await until(http, "budget_exceeded"))
            one.ask("PATCH", f"/v1/budgets/{budget}", {"max_budget": "5"})
            waited.append(await until(http, "200"))
            one.ask("POST", "/freezes", {"holder_kind": "key", "holder_id": made["id"]})
            waited.append(await until(http, "frozen"))
            one.ask("DELETE", f"/freezes?holder_kind=key&holder_id={made['id']}")
            waited.append(await until(http, "200"))
            one.ask("POST", f"/v1/keys/{made['id']}/revoke")
            waited.append(await until(http, "invalid_api_key"))

        print(waited)
        all_quiet([one, other])
