"""The official OpenAI SDK against a provider that speaks Messages: the provider's bill equals our books."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.e2e.machine import Machine, nano
from tests.e2e.two_wires import Providers, charged

pytestmark = pytest.mark.e2e

HELLO: Any = [{"role": "user", "content": "hello there, how many tokens is this sentence?"}]
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
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


@pytest.fixture
def client(machine: Machine) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=machine.url, api_key=machine.new_key(), max_retries=0) as made:
        yield made


@pytest.mark.parametrize("model", ["echo", "cached:5", "reasoning:6"])
def test_a_whole_answer_costs_what_the_provider_billed(machine, client, model):
    before = machine.billed_nano()

    answer = client.chat.completions.create(model=f"claude:{model}", max_tokens=100, messages=HELLO)

    row, line = charged(machine, before), machine.bill()[-1]
    assert answer.choices[0].message.content == HELLO[0]["content"]
    assert (answer.object, answer.model) == ("chat.completion", f"claude:{model}")
    assert abs(answer.created - time.time()) < 60
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (
        line.prompt_tokens,
        line.completion_tokens,
    )
    assert (row["reason"], line.endpoint) == ("usage", "/v1/messages")


@pytest.mark.parametrize("shows", [False, True])
def test_a_stream_costs_what_was_billed_and_shows_usage_to_who_asked(machine, client, shows):
    before = machine.billed_nano()
    options: Any = {"stream_options": {"include_usage": True}} if shows else {}

    with client.chat.completions.create(
        model="claude:lorem:40", max_tokens=99, messages=HELLO, stream=True, **options
    ) as stream:
        chunks = list(stream)

    charged(machine, before)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert len(text.split()) >= 20
    assert (chunks[-1].usage is not None, not chunks[-1].choices) == (shows, shows)


def test_a_provider_that_needs_a_limit_is_told_one_where_the_caller_sets_none(machine, client):
    before = machine.billed_nano()

    client.chat.completions.create(model="claude:lorem:5", messages=HELLO)

    assert charged(machine, before)["held_usd"] < "0.02"


@pytest.mark.parametrize("streamed", [False, True])
def test_tools_are_called(machine, client, streamed):
    asked: Any = {
        "model": "claude:echo",
        "max_tokens": 100,
        "messages": HELLO,
        "tools": [TOOL],
        "tool_choice": "required",
    }
    before = machine.billed_nano()

    if streamed:
        with client.chat.completions.stream(**asked) as stream:
            answer = stream.get_final_completion()
    else:
        answer = client.chat.completions.create(**asked)

    charged(machine, before)
    (call,) = answer.choices[0].message.tool_calls
    assert (call.function.name, answer.choices[0].finish_reason) == ("weather", "tool_calls")


def test_what_messages_cannot_say_is_refused_and_nobody_is_asked(machine, client):
    lines = len(machine.bill())

    with pytest.raises(openai.BadRequestError, match="n must be 1"):
        client.chat.completions.create(model="claude:echo", max_tokens=9, messages=HELLO, n=2)

    machine.quiet()
    assert (nano(machine.usage()[0]), len(machine.bill())) == (0, lines)


@pytest.mark.parametrize(
    ("model", "error", "code"),
    [
        ("fault:s400", openai.BadRequestError, "upstream_rejected"),
        ("fault:s429:7", openai.RateLimitError, "upstream_rate_limited"),
        ("fault:s200_error", openai.InternalServerError, "upstream_error"),
        ("fault:rst_after_request", openai.InternalServerError, "upstream_error"),
    ],
)
def test_failures_are_typed_errors_of_the_callers_own(client, model, error, code):
    with pytest.raises(error) as caught:
        client.chat.completions.create(model=f"claude:{model}", max_tokens=9, messages=HELLO)

    assert caught.value.body["code"] == code


def test_a_stream_without_usage_is_charged_by_our_count(machine, client):
    with client.chat.completions.create(
        model="claude:fault:stream_nousage", max_tokens=99, messages=HELLO, stream=True
    ) as stream:
        list(stream)

    machine.quiet()
    row, line = machine.usage()[0], machine.bill()[-1]
    assert (row["reason"], row["completion_tokens"]) == ("estimated", line.completion_tokens)
    assert nano(row) > 0
