"""Responses with the official OpenAI SDK, unmodified; the provider's bill equals our books."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from tests.e2e.machine import PRICING, Machine, nano

pytestmark = pytest.mark.e2e

HELLO = "hello there, how many tokens is this sentence?"
ITEMS: Any = [
    {"role": "developer", "content": "be brief"},
    {"role": "user", "content": [{"type": "input_text", "text": HELLO}]},
]
CALL_NANO = 10_000_000


class Weather(BaseModel):
    city: str
    degrees: int


TOOL: Any = {"type": "function", "name": "weather", "strict": True, "parameters": Weather.model_json_schema()}


class Responding(Machine):
    """The mock as `up`; as `tooled`, whose calls have a price; `chatty` speaks Chat, `claude` Messages."""

    def _configure(self, config: dict[str, Any]) -> Path:
        place = {"type": "openai", "api_base": self.mock_url}
        chatty, claude = {**place, "type": "mistral"}, {**place, "type": "anthropic"}
        providers = {"up": place, "tooled": place, "chatty": chatty, "claude": claude}
        tooled = {**PRICING, "price_per_tool_call": "0.01"}
        plain = {f"{name}:*": PRICING for name in ("up", "chatty", "claude")}
        pricing = {**plain, "tooled:*": tooled}
        return super()._configure({**config, "providers": providers, "pricing": pricing})


@pytest.fixture(scope="module")
def machine():
    made = Responding()
    try:
        made.start()
        yield made
        made.quiet()
        made.verified()
    finally:
        made.stop()


@pytest.fixture(scope="module")
def key(machine: Machine) -> str:
    return machine.new_key(key_name="responses", budget="100")


@pytest.fixture
def client(machine: Machine, key: str):
    with openai.OpenAI(base_url=machine.url, api_key=key, max_retries=0) as made:
        yield made


def settled(machine: Machine) -> Any:
    """The newest row, once all is settled."""
    machine.quiet()
    return machine.usage()[0]


@pytest.mark.parametrize(
    ("model", "asked"),
    [
        ("up:echo", {"input": HELLO}),
        ("up:echo", {"input": ITEMS, "instructions": "be kind", "max_output_tokens": 20, "store": False}),
        ("up:cached:5", {"input": HELLO}),
        ("up:reasoning:6", {"input": HELLO, "reasoning": {"effort": "low"}}),
        ("up:lorem:30", {"input": HELLO, "max_output_tokens": 7}),
    ],
    ids=["text", "items", "cached", "reasoning", "incomplete"],
)
def test_a_whole_response_costs_what_the_provider_billed(machine, client, model, asked):
    before = machine.billed_nano()

    answer = client.responses.create(model=model, **asked)

    row = settled(machine)
    assert answer.output_text
    assert nano(row) == machine.billed_nano() - before > 0
    assert (row["endpoint"], row["reason"], row["stream"]) == ("/v1/responses", "usage", False)
    assert row["completion_tokens"] == answer.usage.output_tokens


@pytest.mark.parametrize("model", ["up:lorem:40", "up:cached:5", "up:reasoning:6"])
def test_a_stream_arrives_whole_and_costs_what_the_provider_billed(machine, client, model):
    before = machine.billed_nano()

    with client.responses.stream(model=model, input=ITEMS, max_output_tokens=50) as stream:
        events = [event.type for event in stream]
        final = stream.get_final_response()

    row = settled(machine)
    assert (events[0], events[-1]) == ("response.created", "response.completed")
    assert final.output_text
    assert nano(row) == machine.billed_nano() - before > 0
    assert (row["reason"], row["stream"]) == ("usage", True)


def test_functions_are_called_and_their_results_are_taken(machine, client):
    machine.quiet()
    billed, charged = machine.billed_nano(), sum(map(nano, machine.usage()))

    first = client.responses.create(model="up:echo", input=HELLO, tools=[TOOL], tool_choice="required")
    (call,) = [item for item in first.output if item.type == "function_call"]
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny, 21 degrees"}
    with client.responses.stream(
        model="up:echo", input=[*ITEMS, call.model_dump(), result], tools=[TOOL], tool_choice="required"
    ) as stream:
        streamed = stream.get_final_response()

    assert call.name == "weather"
    assert streamed.output[-1].type == "function_call"
    machine.quiet()
    assert sum(map(nano, machine.usage())) - charged == machine.billed_nano() - billed > 0


@pytest.mark.parametrize("asked", [{}, {"tools": [TOOL], "tool_choice": "required"}], ids=["text", "tool"])
def test_a_provider_that_speaks_chat_serves_responses_too(machine, client, asked):
    machine.quiet()
    billed, charged = machine.billed_nano(), sum(map(nano, machine.usage()))

    whole = client.responses.create(model="chatty:echo", input=ITEMS, **asked)
    with client.responses.stream(model="chatty:echo", input=ITEMS, **asked) as stream:
        streamed = stream.get_final_response()

    machine.quiet()
    kind = "function_call" if asked else "message"
    assert [answer.output[-1].type for answer in (whole, streamed)] == [kind, kind]
    assert whole.usage.output_tokens == streamed.usage.output_tokens > 0
    assert {row["reason"] for row in machine.usage()[:2]} == {"usage"}
    assert sum(map(nano, machine.usage())) - charged == machine.billed_nano() - billed > 0


def test_structured_output_is_parsed(client):
    answer = client.responses.parse(model="up:echo", input=HELLO, text_format=Weather)

    assert isinstance(answer.output_parsed, Weather)


def test_the_built_in_mock_answers_without_any_provider(client):
    answer = client.responses.with_raw_response.create(model="mock:echo", input=HELLO)

    assert answer.headers["x-otari-provider"] == "mock"
    assert answer.parse().output_text == HELLO


@pytest.mark.parametrize(
    ("model", "asked", "status", "code"),
    [
        ("up:fault:s400", {}, 400, "upstream_rejected"),
        ("up:fault:s429:7", {}, 429, "upstream_rate_limited"),
        ("up:fault:s500", {}, 502, "upstream_error"),
        ("up:fault:s200_error", {}, 502, "upstream_error"),
        ("claude:echo", {}, 400, "invalid_request"),
        ("chatty:echo", {"tools": [{"type": "custom", "name": "c"}]}, 400, "invalid_request"),
        ("up:echo", {"previous_response_id": "resp_1"}, 400, "invalid_request"),
        ("up:echo", {"background": True}, 400, "invalid_request"),
        ("up:echo", {"tools": [{"type": "web_search"}]}, 402, "unpriced_model"),
        ("up:echo", {"service_tier": "priority"}, 402, "unpriced_model"),
    ],
)
def test_failures_are_typed_errors_with_a_code(client, model, asked, status, code):
    with pytest.raises(openai.APIStatusError) as caught:
        client.responses.create(model=model, input=HELLO, **asked)

    assert (caught.value.status_code, caught.value.body["code"]) == (status, code)


def test_tools_that_are_charged_by_the_call_are_held_for_where_they_have_a_price(machine, client):
    search: Any = {"type": "web_search"}

    client.responses.create(model="tooled:echo", input=HELLO, tools=[search], max_tool_calls=2)

    row = settled(machine)
    assert nano({"cost_usd": row["held_usd"]}) >= 2 * CALL_NANO + 3 * (2 << 20) * 1_000
    assert nano(row) < CALL_NANO, "the provider made no call"


@pytest.mark.parametrize("fault", ["stream_nousage", "usage_negative", "usage_huge", "usage_null"])
def test_without_believable_usage_our_own_count_is_charged(machine, client, fault):
    with client.responses.create(model=f"up:fault:{fault}", input=HELLO, stream=True) as stream:
        assert [event.type for event in stream][-1] == "response.completed"

    row = settled(machine)
    assert row["reason"] in ("estimated", "usage_invalid")
    assert 0 < nano(row) <= nano({"cost_usd": row["held_usd"]})


def test_a_stream_cut_by_the_provider_ends_in_an_error_and_is_charged_for_what_was_seen(machine, client):
    with (
        pytest.raises(openai.APIError),
        client.responses.create(model="up:fault:rst_mid_body:2000", input=HELLO, stream=True) as stream,
    ):
        list(stream)

    row = settled(machine)
    assert row["reason"] == "upstream_cut"
    assert nano(row) > 0


async def test_many_at_once_async_are_each_charged_what_the_provider_billed(machine, key):
    await asyncio.to_thread(machine.quiet)
    billed, charged = machine.billed_nano(), sum(map(nano, machine.usage()))

    async def streamed(client: openai.AsyncOpenAI, tokens: int) -> None:
        async with client.responses.stream(model=f"up:lorem:{tokens}", input=HELLO) as stream:
            assert (await stream.get_final_response()).usage.output_tokens == tokens

    async with openai.AsyncOpenAI(base_url=machine.url, api_key=key, max_retries=0) as client:
        whole = [client.responses.create(model=f"up:lorem:{1 + n}", input=HELLO) for n in range(10)]
        await asyncio.gather(*whole, *[streamed(client, 1 + n) for n in range(10)])

    await asyncio.to_thread(machine.quiet)
    assert sum(map(nano, machine.usage())) - charged == machine.billed_nano() - billed > 0


async def test_a_cancelled_stream_is_closed_upstream_and_charged(machine, key):
    async with openai.AsyncOpenAI(base_url=machine.url, api_key=key, max_retries=0) as client:
        stream = await client.responses.create(model="up:drip:500:10", input=HELLO, stream=True)
        async for event in stream:
            if event.type == "response.output_text.delta":
                break
        await stream.close()

    row, line = await asyncio.to_thread(settled, machine), machine.bill()[-1]
    assert (row["reason"], line.ended) == ("client_cut", "client_left")
    assert nano(row) >= (line.prompt_tokens + 2 * line.completion_tokens) * 1000 * 0.5
