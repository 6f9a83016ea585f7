"""The official Anthropic SDK, unmodified: by each wire, the provider's bill equals our books."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from tests.e2e.machine import Machine, nano
from tests.e2e.two_wires import NATIVE, OVER_CHAT, Providers, charged

pytestmark = pytest.mark.e2e

HELLO: Any = [{"role": "user", "content": "hello there, how many tokens is this sentence?"}]
TOOL: Any = {
    "name": "weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    made = Providers()
    try:
        made.start()
        yield made
        made.quiet()
        made.verified()
    finally:
        made.stop()


@pytest.fixture(scope="module")
def key(machine: Machine) -> str:
    return machine.new_key(key_name="sdk")


@pytest.fixture
def client(machine: Machine, key: str) -> Iterator[anthropic.Anthropic]:
    base = machine.url.removesuffix("/v1")
    with anthropic.Anthropic(base_url=base, api_key=key, max_retries=0) as made:
        yield made


@pytest.mark.parametrize("provider", [NATIVE, OVER_CHAT])
def test_a_whole_answer_costs_what_the_provider_billed(machine, client, provider):
    before = machine.billed_nano()

    answer = client.messages.create(model=f"{provider}:echo", max_tokens=100, messages=HELLO)

    row = charged(machine, before)
    assert answer.content[0].text == HELLO[0]["content"]
    assert (answer.type, answer.role, answer.stop_reason) == ("message", "assistant", "end_turn")
    assert (row["reason"], row["status"], row["endpoint"]) == ("usage", "success", "/v1/messages")


@pytest.mark.parametrize("provider", [NATIVE, OVER_CHAT])
@pytest.mark.parametrize("model", ["lorem:40", "cached:5", "reasoning:6"])
def test_a_stream_arrives_whole_and_costs_what_the_provider_billed(machine, client, provider, model):
    before = machine.billed_nano()

    with client.messages.stream(model=f"{provider}:{model}", max_tokens=100, messages=HELLO) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()

    row = charged(machine, before)
    assert text
    assert (row["reason"], row["stream"]) == ("usage", True)
    assert final.usage.output_tokens == machine.bill()[-1].completion_tokens
    assert final.stop_reason == "end_turn"


@pytest.mark.parametrize("provider", [NATIVE, OVER_CHAT])
@pytest.mark.parametrize("model", ["cached:5", "reasoning:6"])
def test_cached_and_thought_tokens_cost_what_the_provider_billed(machine, client, provider, model):
    before = machine.billed_nano()

    answer = client.messages.create(model=f"{provider}:{model}", max_tokens=100, messages=HELLO)

    charged(machine, before)
    line = machine.bill()[-1]
    cached = answer.usage.cache_read_input_tokens or 0
    assert (answer.usage.input_tokens + cached, cached) == (line.prompt_tokens, line.cached_tokens)


def test_thoughts_come_as_thinking_blocks(client):
    answer = client.messages.create(model="claude:reasoning:6", max_tokens=100, messages=HELLO)

    assert [block.type for block in answer.content] == ["thinking", "text"]


@pytest.mark.parametrize("provider", [NATIVE, OVER_CHAT])
@pytest.mark.parametrize("streamed", [False, True])
def test_tools_are_called(machine, client, provider, streamed):
    asked: Any = {
        "model": f"{provider}:echo",
        "max_tokens": 100,
        "messages": HELLO,
        "tools": [TOOL],
        "tool_choice": {"type": "any"},
    }
    before = machine.billed_nano()

    if streamed:
        with client.messages.stream(**asked) as stream:
            answer = stream.get_final_message()
    else:
        answer = client.messages.create(**asked)

    charged(machine, before)
    (call,) = [block for block in answer.content if block.type == "tool_use"]
    assert (call.name, answer.stop_reason, list(call.input)) == ("weather", "tool_use", ["city"])


@pytest.mark.parametrize("provider", [NATIVE, OVER_CHAT])
@pytest.mark.parametrize(
    ("model", "error", "status", "kind"),
    [
        ("fault:s400", anthropic.BadRequestError, 400, "invalid_request_error"),
        ("fault:s401", anthropic.InternalServerError, 502, "api_error"),
        ("fault:s404", anthropic.NotFoundError, 404, "not_found_error"),
        ("fault:s429:7", anthropic.RateLimitError, 429, "rate_limit_error"),
        ("fault:s504", anthropic.InternalServerError, 504, "timeout_error"),
        ("fault:s529", anthropic.InternalServerError, 502, "api_error"),
        ("fault:s200_error", anthropic.InternalServerError, 502, "api_error"),
    ],
)
def test_failures_of_a_provider_are_typed_errors_and_cost_nothing(
    client, machine, provider, model, error, status, kind
):
    before = machine.billed_nano()

    with pytest.raises(error) as caught:
        client.messages.create(model=f"{provider}:{model}", max_tokens=9, messages=HELLO)

    body = caught.value.body
    assert (caught.value.status_code, body["type"], body["error"]["type"]) == (status, "error", kind)
    assert body["request_id"] == caught.value.response.headers["x-request-id"]
    machine.quiet()
    assert nano(machine.usage()[0]) == machine.billed_nano() - before == 0


def test_our_own_refusals_are_typed_errors(machine, client):
    with pytest.raises(anthropic.NotFoundError):
        client.messages.create(model="unknown", max_tokens=9, messages=HELLO)
    with pytest.raises(anthropic.APIStatusError) as unpriced:
        client.messages.create(model="bare:echo", max_tokens=9, messages=HELLO)
    with pytest.raises(anthropic.BadRequestError, match="max_tokens must be a whole number"):
        client.messages.create(model="up:echo", max_tokens=0, messages=HELLO)
    wrong = client.copy(api_key="gw-wrong")
    with pytest.raises(anthropic.AuthenticationError):
        wrong.messages.create(model="up:echo", max_tokens=9, messages=HELLO)

    assert (unpriced.value.status_code, unpriced.value.body["error"]["type"]) == (402, "billing_error")


@pytest.mark.parametrize("provider", [NATIVE, OVER_CHAT])
def test_a_stream_cut_by_the_provider_ends_in_an_error_and_costs_what_was_seen(machine, client, provider):
    model = f"{provider}:fault:rst_mid_body:400"
    with (
        pytest.raises(anthropic.APIStatusError),
        client.messages.create(model=model, max_tokens=500, messages=HELLO, stream=True) as stream,
    ):
        list(stream)

    machine.quiet()
    assert (machine.usage()[0]["reason"], nano(machine.usage()[0]) > 0) == ("upstream_cut", True)


def test_a_count_is_free_and_the_providers_own(machine, client):
    before = machine.billed_nano(), len(machine.bill())

    counted = client.messages.count_tokens(model="claude:echo", messages=HELLO)
    answer = client.messages.create(model="claude:echo", max_tokens=100, messages=HELLO)

    row = charged(machine, before[0])
    count = machine.usage()[1]
    assert counted.input_tokens == answer.usage.input_tokens == row["prompt_tokens"]
    assert (count["endpoint"], nano(count), count["held_usd"], count["status"]) == (
        "/v1/messages/count_tokens",
        0,
        "0.00",
        "success",
    )
    assert len(machine.bill()) == before[1] + 2


def test_a_count_for_a_provider_that_has_none_is_ours_and_asks_nobody(machine, client):
    before = len(machine.bill())

    counted = client.messages.count_tokens(model="up:echo", system="be brief", messages=HELLO)

    machine.quiet()
    assert 8 <= counted.input_tokens <= 30
    assert (len(machine.bill()), nano(machine.usage()[0])) == (before, 0)


def test_a_count_needs_a_key_and_leave(machine, client):
    held = machine.new_key(key_name="narrow", allowed_models=["up:echo"])

    for key, error in (("gw-wrong", anthropic.AuthenticationError), (held, anthropic.PermissionDeniedError)):
        with pytest.raises(error):
            client.copy(api_key=key).messages.count_tokens(model="claude:echo", messages=HELLO)


async def test_many_at_once_async_are_each_charged_what_the_provider_billed(machine, key):
    machine.quiet()
    billed, paid = machine.billed_nano(), sum(map(nano, machine.usage()))
    base = machine.url.removesuffix("/v1")

    async with anthropic.AsyncAnthropic(base_url=base, api_key=key, max_retries=0) as client:
        calls = [
            client.messages.create(
                model=f"{(NATIVE, OVER_CHAT)[n % 2]}:lorem:{1 + n}", max_tokens=99, messages=HELLO
            )
            for n in range(30)
        ]
        await asyncio.gather(*calls)

    machine.quiet()
    assert sum(map(nano, machine.usage())) - paid == machine.billed_nano() - billed > 0


async def test_a_cancelled_stream_costs_the_prompt_as_stated_and_what_was_seen(machine, key):
    base = machine.url.removesuffix("/v1")
    async with anthropic.AsyncAnthropic(base_url=base, api_key=key, max_retries=0) as client:
        stream = await client.messages.create(
            model="claude:drip:500:10", max_tokens=999, messages=HELLO, stream=True
        )
        async for event in stream:
            if event.type == "content_block_delta":
                break
        await stream.close()

    await asyncio.to_thread(machine.quiet)
    row, line = machine.usage()[0], machine.bill()[-1]
    assert (row["reason"], line.ended) == ("client_cut", "client_left")
    assert row["prompt_tokens"] == line.prompt_tokens
    assert nano(row) >= line.prompt_tokens * 1000 + 2000
