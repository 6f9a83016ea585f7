"""The official `anthropic` package, unmodified, against the mock."""

from typing import Any

import anthropic
import httpx
import pytest
from anthropic import Anthropic, AsyncAnthropic
from pydantic import BaseModel

from otari_daemon.mock import MockServer, charge_nano, count_tokens
from tests.mock.mock_in_thread import ThreadedMock

PLOT: Any = {
    "name": "plot",
    "description": "draws",
    "input_schema": {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]},
}


def user(text: str) -> Any:
    return [{"role": "user", "content": text}]


async def test_a_message(claude: AsyncAnthropic) -> None:
    answer = await claude.messages.create(model="echo", max_tokens=99, messages=user("Hello, SDK"))

    assert [(block.type, block.text) for block in answer.content] == [("text", "Hello, SDK")]
    assert (answer.stop_reason, answer.stop_sequence) == ("end_turn", None)
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (3 + 4, 3)
    assert answer._request_id == "req_mock_1"


async def test_a_message_counts_as_a_chat_of_the_same_words_does(
    mock: MockServer, claude: AsyncAnthropic
) -> None:
    asked = user([{"type": "text", "text": "one two"}, {"type": "text", "text": " three"}])
    counted = await claude.messages.count_tokens(model="echo", system="be brief", messages=asked)
    answer = await claude.messages.create(model="echo", max_tokens=9, system="be brief", messages=asked)

    assert counted.input_tokens == answer.usage.input_tokens == count_tokens("be brief") + 3 + 2 * 4
    count, message = mock.bill.lines
    assert (count.endpoint, charge_nano(count)) == ("/v1/messages/count_tokens", 0)
    assert (message.endpoint, charge_nano(message)) == (
        "/v1/messages",
        answer.usage.input_tokens * 1_000 + 3 * 2_000,
    )


async def test_the_cache_is_not_part_of_the_input(mock: MockServer, claude: AsyncAnthropic) -> None:
    answer = await claude.messages.create(model="cached:5", max_tokens=9, messages=user("a b c d"))

    assert (answer.usage.input_tokens, answer.usage.cache_read_input_tokens) == (3, 5)
    assert (mock.bill.lines[0].prompt_tokens, mock.bill.lines[0].cached_tokens) == (8, 5)


@pytest.mark.parametrize(
    ("asked", "reason", "sequence", "text"),
    [
        ({"max_tokens": 2}, "max_tokens", None, "one two"),
        ({"max_tokens": 9, "stop_sequences": ["four", " three"]}, "stop_sequence", " three", "one two"),
        ({"max_tokens": 9, "stop_sequences": ["five"]}, "end_turn", None, "one two three"),
        ({"max_tokens": 1, "stop_sequences": [" three"]}, "max_tokens", None, "one"),
    ],
)
async def test_an_answer_stops_for_its_reason(
    claude: AsyncAnthropic, asked: dict[str, Any], reason: str, sequence: str | None, text: str
) -> None:
    answer = await claude.messages.create(model="echo", messages=user("one two three"), **asked)
    async with claude.messages.stream(model="echo", messages=user("one two three"), **asked) as stream:
        streamed = await stream.get_final_message()

    for message in (answer, streamed):
        assert (message.stop_reason, message.stop_sequence) == (reason, sequence)
        assert [block.text for block in message.content if block.type == "text"] == [text]
        assert message.usage.output_tokens == count_tokens(text)


def test_a_stream_has_every_event_in_its_place(blocking_claude: Anthropic) -> None:
    with blocking_claude.messages.create(
        model="lorem:2", max_tokens=9, messages=user("x"), stream=True
    ) as stream:
        events = list(stream)

    assert [event.type for event in events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert (events[0].message.usage.input_tokens, events[0].message.usage.output_tokens) == (5, 1)
    assert (events[-2].usage.input_tokens, events[-2].usage.output_tokens) == (5, 2)


def test_thinking_comes_before_the_text_and_counts_as_output(
    threaded: ThreadedMock, blocking_claude: Anthropic
) -> None:
    whole = blocking_claude.messages.create(model="reasoning:3", max_tokens=9, messages=user("a b"))
    with blocking_claude.messages.stream(model="reasoning:3", max_tokens=9, messages=user("a b")) as stream:
        streamed = stream.get_final_message()

    for thought, text in (whole.content, streamed.content):
        assert (thought.type, thought.thinking) == ("thinking", "lorem ipsum dolor")
        assert (text.type, text.text) == ("text", "a b")
    assert whole.usage.output_tokens == streamed.usage.output_tokens == 5
    assert [(line.completion_tokens, line.reasoning_tokens) for line in threaded.bill.lines] == [(5, 3)] * 2


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("please call:plot", {"type": "auto"}),
        ("draw", {"type": "any"}),
        ("draw", {"type": "tool", "name": "plot"}),
    ],
)
async def test_a_tool_is_used_and_its_input_assembled(
    mock: MockServer, claude: AsyncAnthropic, text: str, choice: Any
) -> None:
    asked: Any = {"model": "echo", "max_tokens": 99, "messages": user(text), "tools": [PLOT]}
    whole = await claude.messages.create(**asked, tool_choice=choice)
    async with claude.messages.stream(**asked, tool_choice=choice) as stream:
        streamed = await stream.get_final_message()

    for message in (whole, streamed):
        (use,) = message.content
        assert (use.type, use.name, use.input) == ("tool_use", "plot", {"x": 0})
        assert message.stop_reason == "tool_use"
    assert {line.completion_tokens for line in mock.bill.lines} == {whole.usage.output_tokens}


async def test_a_tools_result_ends_the_loop(claude: AsyncAnthropic) -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "12"}]}
    use = {"type": "tool_use", "id": "t", "name": "plot", "input": {"x": 0}}
    turns = [
        *user("call:plot"),
        {"role": "assistant", "content": [use]},
        {"role": "user", "content": [result]},
    ]
    answer = await claude.messages.create(model="echo", max_tokens=99, messages=turns, tools=[PLOT])

    assert answer.stop_reason == "end_turn"


class Point(BaseModel):
    x: int
    label: str


async def test_structured_output_is_parsed(claude: AsyncAnthropic) -> None:
    answer = await claude.messages.parse(
        model="echo", max_tokens=99, messages=user("a point"), output_format=Point
    )

    assert answer.parsed_output == Point(x=0, label="")


@pytest.mark.parametrize(
    ("model", "error", "kind"),
    [
        ("lorem:x", anthropic.BadRequestError, "invalid_request_error"),
        ("claude-9", anthropic.NotFoundError, "not_found_error"),
        ("fault:s401", anthropic.AuthenticationError, "authentication_error"),
        ("fault:s403", anthropic.PermissionDeniedError, "permission_error"),
        ("fault:s429", anthropic.RateLimitError, "rate_limit_error"),
        ("fault:s500", anthropic.InternalServerError, "api_error"),
        ("fault:s529", anthropic.InternalServerError, "overloaded_error"),
    ],
)
async def test_an_error_is_in_anthropics_envelope(
    claude: AsyncAnthropic, model: str, error: type[anthropic.APIStatusError], kind: str
) -> None:
    with pytest.raises(error) as raised:
        await claude.messages.create(model=model, max_tokens=9, messages=user("x"))

    body: Any = raised.value.body
    assert (body["type"], body["error"]["type"], body["request_id"]) == ("error", kind, "req_mock_1")


async def test_an_error_in_a_stream_is_raised(claude: AsyncAnthropic) -> None:
    async with claude.messages.stream(
        model="fault:sse_error_event", max_tokens=99, messages=user("x")
    ) as stream:
        with pytest.raises(anthropic.APIStatusError, match="failed mid-stream"):
            await stream.get_final_message()


def test_a_reader_who_leaves_is_billed_for_what_was_made(
    threaded: ThreadedMock, blocking_claude: Anthropic
) -> None:
    with blocking_claude.messages.stream(model="drip:1000:5", max_tokens=2_000, messages=user("x")) as stream:
        next(iter(stream.text_stream))

    line = threaded.bill.next_line()
    assert line.ended == "client_left"
    assert 1 <= line.completion_tokens < 1000


async def test_a_stream_pings_and_ends_with_its_mark(mock: MockServer) -> None:
    asked = {"model": "echo", "max_tokens": 9, "messages": user("Hi"), "stream": True}
    async with httpx.AsyncClient(base_url=mock.address) as client:
        events = (await client.post("/messages", json=asked)).text.split("\n\n")

    assert events[1] == 'event: ping\ndata: {"type":"ping"}'
    assert events[-2:] == ['event: message_stop\ndata: {"type":"message_stop"}', ""]
