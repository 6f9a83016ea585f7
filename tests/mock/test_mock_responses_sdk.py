"""OpenAI's client and the responses."""

from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from otari_daemon.mock import MockServer, count_tokens
from tests.mock.mock_in_thread import ThreadedMock


class Point(BaseModel):
    x: int
    label: str


PLOT: Any = {"type": "function", "name": "plot", "strict": True, "parameters": Point.model_json_schema()}


async def test_a_response(mock: MockServer, sdk: AsyncOpenAI) -> None:
    answer = await sdk.responses.create(model="echo", input="Hello, SDK", instructions="be brief")

    assert (answer.output_text, answer.status, answer.incomplete_details) == ("Hello, SDK", "completed", None)
    assert answer.instructions == "be brief"
    assert answer.usage is not None
    assert answer.usage.input_tokens == 3 + count_tokens("be brief") + 2 * 4
    assert (answer.usage.output_tokens, answer.usage.total_tokens) == (3, answer.usage.input_tokens + 3)
    (line,) = mock.bill.lines
    assert (line.endpoint, line.prompt_tokens, line.completion_tokens) == (
        "/v1/responses",
        answer.usage.input_tokens,
        3,
    )


async def test_the_last_thing_the_user_said_is_found_among_items(sdk: AsyncOpenAI) -> None:
    items: Any = [
        {"role": "developer", "content": "be brief"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "found"}]},
        {"type": "reasoning", "id": "rs", "summary": []},
        {"role": "assistant", "content": "said before"},
    ]
    answer = await sdk.responses.create(model="echo", input=items)

    assert answer.output_text == "found"


async def test_details_say_what_was_cached_and_what_was_reasoned(sdk: AsyncOpenAI) -> None:
    cached = await sdk.responses.create(model="cached:5", input="one two three")
    reasoned = await sdk.responses.create(model="reasoning:4", input="one two three")

    assert cached.usage is not None
    assert cached.usage.input_tokens_details.cached_tokens == 5
    assert reasoned.usage is not None
    assert reasoned.usage.output_tokens_details.reasoning_tokens == 4
    assert reasoned.usage.output_tokens == 4 + 3
    assert [item.type for item in reasoned.output] == ["reasoning", "message"]


@pytest.mark.parametrize("model", ["echo", "lorem:12", "reasoning:3"])
def test_a_stream_is_numbered_and_ends_with_the_response_itself(blocking_sdk: OpenAI, model: str) -> None:
    asked: Any = {"model": model, "input": "one two three"}
    whole = blocking_sdk.responses.create(**asked)
    with blocking_sdk.responses.create(**asked, stream=True) as stream:
        events = list(stream)

    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.type for event in events[:3]] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
    ]
    last = events[-1]
    assert last.type == "response.completed"
    assert (last.response.output_text, last.response.usage) == (whole.output_text, whole.usage)
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == whole.output_text


async def test_an_answer_cut_short_is_incomplete(sdk: AsyncOpenAI) -> None:
    asked: Any = {"model": "lorem:100", "input": "x", "max_output_tokens": 16}
    whole = await sdk.responses.create(**asked)
    stream = await sdk.responses.create(**asked, stream=True)
    last = [event async for event in stream][-1]

    assert last.type == "response.incomplete"
    for answer in (whole, last.response):
        assert answer.status == "incomplete"
        assert answer.incomplete_details is not None
        assert answer.incomplete_details.reason == "max_output_tokens"
        assert answer.usage is not None
        assert answer.usage.output_tokens == 16


@pytest.mark.parametrize("choice", ["auto", "required", {"type": "function", "name": "plot"}])
async def test_a_function_is_called(mock: MockServer, sdk: AsyncOpenAI, choice: Any) -> None:
    asked: Any = {"model": "echo", "input": "call:plot", "tools": [PLOT], "tool_choice": choice}
    whole = await sdk.responses.create(**asked)
    async with sdk.responses.stream(**asked) as stream:
        streamed = await stream.get_final_response()

    for answer in (whole, streamed):
        (call,) = answer.output
        assert call.type == "function_call"
        assert (call.name, Point.model_validate_json(call.arguments)) == ("plot", Point(x=0, label=""))
        assert answer.usage is not None
        assert {answer.usage.output_tokens} == {line.completion_tokens for line in mock.bill.lines}


async def test_a_functions_output_ends_the_loop(sdk: AsyncOpenAI) -> None:
    items: Any = [
        {"role": "user", "content": "call:plot"},
        {"type": "function_call", "call_id": "c", "name": "plot", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "12"},
    ]
    answer = await sdk.responses.create(model="echo", input=items, tools=[PLOT])

    assert answer.output_text == "call:plot"


async def test_structured_output_is_parsed(sdk: AsyncOpenAI) -> None:
    answer = await sdk.responses.parse(model="echo", input="a point", text_format=Point)

    assert answer.output_parsed == Point(x=0, label="")


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("lorem:x", openai.BadRequestError),
        ("gpt-4", openai.NotFoundError),
        ("fault:s429", openai.RateLimitError),
        ("fault:rst_after_request", openai.APIConnectionError),
    ],
)
async def test_an_error_has_its_class(sdk: AsyncOpenAI, model: str, error: type[openai.OpenAIError]) -> None:
    with pytest.raises(error):
        await sdk.responses.create(model=model, input="x")


def test_a_reader_who_leaves_is_billed_for_what_was_made(
    threaded: ThreadedMock, blocking_sdk: OpenAI
) -> None:
    with blocking_sdk.responses.create(model="drip:1000:5", input="x", stream=True) as stream:
        next(event for event in stream if event.type == "response.output_text.delta")

    line = threaded.bill.next_line()
    assert line.ended == "client_left"
    assert 1 <= line.completion_tokens < 1000
