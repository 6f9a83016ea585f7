"""The official OpenAI SDK, unmodified, against a spawned daemon; the provider's bill equals our books."""

from __future__ import annotations

import asyncio

import openai
import pytest

from tests.e2e.machine import Machine, nano

pytestmark = pytest.mark.e2e

HELLO = [{"role": "user", "content": "hello there, how many tokens is this sentence?"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture(scope="module")
def key(machine: Machine) -> str:
    return machine.new_key(key_name="sdk")


@pytest.fixture
def client(machine: Machine, key: str):
    with openai.OpenAI(base_url=machine.url, api_key=key, max_retries=0) as made:
        yield made


def settled(machine: Machine, request_id: str):
    machine.quiet()
    (row,) = [row for row in machine.usage() if row["request_id"] == request_id]
    return row


def test_a_whole_answer_costs_what_the_provider_billed(machine, client):
    before = machine.billed_nano()

    answer = client.chat.completions.with_raw_response.create(model="up:echo", messages=HELLO)

    row = settled(machine, answer.headers["x-request-id"])
    assert answer.parse().choices[0].message.content == HELLO[0]["content"]
    assert nano(row) == machine.billed_nano() - before > 0
    assert (row["reason"], row["status"], row["stream"]) == ("usage", "success", False)


def test_a_stream_arrives_whole_and_costs_what_the_provider_billed(machine, client):
    before = machine.billed_nano()

    with client.chat.completions.create(model="up:lorem:40", messages=HELLO, stream=True) as stream:
        chunks = list(stream)

    machine.quiet()
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert len(text.split()) >= 20
    assert all(chunk.choices for chunk in chunks), "the usage chunk is not shown to who did not ask for it"
    assert nano(machine.usage()[0]) == machine.billed_nano() - before > 0


def test_a_stream_that_asks_for_usage_gets_it(client):
    options = {"include_usage": True}

    with client.chat.completions.create(
        model="up:lorem:7", messages=HELLO, stream=True, stream_options=options
    ) as stream:
        last = list(stream)[-1]

    assert last.usage.completion_tokens == 7


@pytest.mark.parametrize("model", ["up:cached:5", "up:reasoning:6"])
def test_cached_and_reasoning_tokens_cost_what_the_provider_billed(machine, client, model):
    before = machine.billed_nano()

    client.chat.completions.create(model=model, messages=HELLO)

    machine.quiet()
    assert nano(machine.usage()[0]) == machine.billed_nano() - before > 0


def test_tools_are_called(client):
    answer = client.chat.completions.create(
        model="up:echo", messages=HELLO, tools=[TOOL], tool_choice="required"
    )

    (call,) = answer.choices[0].message.tool_calls
    assert call.function.name == "weather"


def test_the_built_in_mock_answers_without_any_provider(client):
    answer = client.chat.completions.with_raw_response.create(model="mock:echo", messages=HELLO)

    assert answer.headers["x-otari-provider"] == "mock"


@pytest.mark.parametrize(
    ("model", "error", "status", "code"),
    [
        ("up:fault:s400", openai.BadRequestError, 400, "upstream_rejected"),
        ("up:fault:s401", openai.InternalServerError, 502, "upstream_credentials"),
        ("up:fault:s404", openai.NotFoundError, 404, "model_not_found"),
        ("up:fault:s429:7", openai.RateLimitError, 429, "upstream_rate_limited"),
        ("up:fault:s500", openai.InternalServerError, 502, "upstream_error"),
        ("up:fault:rst_after_request", openai.InternalServerError, 502, "upstream_error"),
        ("up:fault:te_cl", openai.InternalServerError, 502, "upstream_error"),
        ("nowhere:at-all", openai.BadRequestError, 400, "invalid_request"),
        ("unknown", openai.NotFoundError, 404, "not_found"),
        ("bare:echo", openai.APIStatusError, 402, "unpriced_model"),
    ],
)
def test_failures_are_typed_errors_with_a_code_and_a_request_id(client, model, error, status, code):
    with pytest.raises(error) as caught:
        client.chat.completions.create(model=model, messages=HELLO)

    assert (caught.value.status_code, caught.value.body["code"]) == (status, code)
    assert caught.value.request_id.startswith("req_")


def test_a_wrong_key_is_refused(machine):
    with (
        openai.OpenAI(base_url=machine.url, api_key="gw-wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError),
    ):
        client.chat.completions.create(model="up:echo", messages=HELLO)


def test_a_stream_cut_by_the_provider_ends_in_an_error_and_is_charged_for_what_was_seen(machine, client):
    with (
        pytest.raises(openai.APIError),
        client.chat.completions.create(
            model="up:fault:rst_mid_body:400", messages=HELLO, stream=True
        ) as stream,
    ):
        list(stream)

    machine.quiet()
    row = machine.usage()[0]
    assert row["reason"] == "upstream_cut"
    assert nano(row) > 0


def test_models_are_listed_with_their_prices(client):
    listed = {model.id: model for model in client.models.list()}

    assert listed["up:echo"].pricing["input_price_per_million"] == 1.0


async def test_many_at_once_async_are_each_charged_what_the_provider_billed(machine, key):
    machine.quiet()
    billed, charged = machine.billed_nano(), sum(map(nano, machine.usage()))

    async with openai.AsyncOpenAI(base_url=machine.url, api_key=key, max_retries=0) as client:
        calls = [client.chat.completions.create(model=f"up:lorem:{1 + n}", messages=HELLO) for n in range(60)]
        await asyncio.gather(*calls)

    machine.quiet()
    assert sum(map(nano, machine.usage())) - charged == machine.billed_nano() - billed > 0


async def test_a_cancelled_stream_is_closed_upstream_and_charged(machine, key):
    async with openai.AsyncOpenAI(base_url=machine.url, api_key=key, max_retries=0) as client:
        stream = await client.chat.completions.create(model="up:drip:500:10", messages=HELLO, stream=True)
        async for _ in stream:
            break
        await stream.close()

    await asyncio.to_thread(machine.quiet)
    row, line = machine.usage()[0], machine.bill()[-1]
    assert (row["reason"], line.ended) == ("client_cut", "client_left")
    assert nano(row) >= (line.prompt_tokens + 2 * line.completion_tokens) * 1000 * 0.5
