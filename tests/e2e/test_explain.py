"""A price set on the socket bills the next request, whose explanation adds up; a refusal is explained too."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import openai
import pytest

pytestmark = pytest.mark.e2e

HELLO = [{"role": "user", "content": "hi there"}]


async def ask(machine, key: str) -> str:
    """One request to `up:echo`; its id, whatever came of it."""
    async with openai.AsyncOpenAI(base_url=machine.url, api_key=key, max_retries=0) as client:
        try:
            raw = await client.chat.completions.with_raw_response.create(
                model="up:echo", messages=HELLO, max_tokens=50
            )
        except openai.PermissionDeniedError as error:
            return error.response.headers["x-request-id"]
        return raw.headers["x-request-id"]


async def test_a_new_price_bills_the_next_request_and_its_explanation_adds_up(machine):
    price = {
        "model_key": "up/echo",
        "input_price_per_million": "3.000001",
        "output_price_per_million": 15,
    }
    await asyncio.to_thread(machine.ask, "POST", "/v1/pricing", price)
    key = await asyncio.to_thread(machine.new_key, key_name="explained", budget="5/day")

    told = await asyncio.to_thread(machine.ask, "GET", f"/explain/{await ask(machine, key)}")

    assert (told["state"], told["reason"], told["price"]["source"]) == ("settled", "usage", "database")
    charge, hold = told["charge"], told["hold"]
    rates = {line["name"]: line["usd_per_million"] for line in charge["lines"]}
    assert (rates["input"], rates["output"]) == ("3.000001", "15.00")
    for line in charge["lines"]:
        assert Decimal(line["amount_usd"]) == line["units"] * Decimal(line["usd_per_million"]) / 10**6
    parts = sum(Decimal(line["amount_usd"]) for line in charge["lines"])
    assert parts + Decimal(charge["rounding_usd"]) == Decimal(charge["cost_usd"]) > 0
    assert 0 <= Decimal(charge["rounding_usd"]) < Decimal("1e-9")
    assert hold["adds_up"]
    assert hold["output_tokens_max"] == 50
    [ceiling] = told["ceilings"]
    assert (ceiling["holder"], ceiling["limit_usd"]) == ("key:explained", "5.00")
    assert ceiling["posted_usd"] == charge["cost_usd"]


async def test_a_refused_request_is_explained_and_counted(machine):
    key = await asyncio.to_thread(machine.new_key, key_name="stingy", budget="0.000000001/day")

    request_id = await ask(machine, key)

    told = await asyncio.to_thread(machine.ask, "GET", f"/explain/{request_id}")
    assert (told["state"], told["refusal"]["code"]) == ("refused", "budget_exceeded")
    assert (told["key_name"], told["model"], told["hold"]) == ("stingy", "up:echo", None)
    groups = await asyncio.to_thread(machine.ask, "GET", "/refusals?since=1h")
    [group] = [each for each in groups if each["last"]["request_id"] == request_id]
    assert (group["code"], group["count"]) == ("budget_exceeded", 1)
    assert (await asyncio.to_thread(machine.admin, "GET", "/explain/req_" + "0" * 32))[0] == 404
