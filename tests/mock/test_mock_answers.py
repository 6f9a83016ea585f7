"""What honest models answer: shapes, cuts, choices, tools; streamed and not."""

import json
from typing import Any

import pytest

from tests.mock.mock_in_thread import NOW_S, ThreadedMock
from tests.mock.mock_raw_client import Raw, chat_body, sse_data

TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "minLength": 12}, "days": {"type": "integer"}},
            "required": ["city"],
        },
    },
}
ARGUMENTS = {"city": "xxxxxxxxxxxx"}

REQUESTS: list[dict[str, Any]] = [
    chat_body("echo", "What is this? \u00e9\u20ac\U0001f600\n"),
    chat_body("echo", ""),
    chat_body("echo", "one two three four", max_tokens=2),
    chat_body("echo", "one two three four", max_completion_tokens=4),
    chat_body("lorem:40", n=3),
    chat_body("drip:5:1", n=2),
    chat_body("slow:1"),
    chat_body("cached:3"),
    chat_body("cached:999999"),
    chat_body("reasoning:5", n=2),
    chat_body("reasoning:50", max_tokens=20),
    chat_body("echo", "call:weather", tools=[TOOL]),
    chat_body("echo", "hi", tools=[TOOL], tool_choice="required", n=2),
    chat_body("echo", "hi", tools=[TOOL], tool_choice="required", max_tokens=3),
    chat_body("echo", "hi", response_format={"type": "json_object"}),
    chat_body("fault:stream_ok", "fine"),
]


def ask(client: Raw, body: dict[str, Any]) -> Any:
    client.post(json.dumps(body).encode())
    answer = client.answer()
    assert answer.status == 200, answer.body
    return answer.json


def ask_streamed(client: Raw, body: dict[str, Any]) -> list[Any]:
    options = {"stream": True, "stream_options": {"include_usage": True}}
    client.post(json.dumps(body | options).encode())
    return sse_data(client.answer().body)


def assembled(chunks: list[Any]) -> list[tuple[str, str, str]]:
    """Each choice's text, function arguments and finish reason, from its deltas."""
    choices: dict[int, list[str]] = {}
    for chunk in chunks:
        for choice in chunk["choices"]:
            seen = choices.setdefault(choice["index"], ["", "", ""])
            seen[0] += choice["delta"].get("content") or ""
            for call in choice["delta"].get("tool_calls", ()):
                seen[1] += call["function"]["arguments"]
            seen[2] = choice["finish_reason"] or ""
    return [(c[0], c[1], c[2]) for _, c in sorted(choices.items())]


def said(answer: Any) -> list[tuple[str, str, str]]:
    return [
        (
            choice["message"]["content"] or "",
            "".join(c["function"]["arguments"] for c in choice["message"].get("tool_calls", ())),
            choice["finish_reason"],
        )
        for choice in answer["choices"]
    ]


@pytest.mark.parametrize("body", REQUESTS, ids=str)
def test_a_stream_says_and_costs_what_the_whole_answer_does(client: Raw, body: dict[str, Any]) -> None:
    whole = ask(client, body)
    *chunks, usage, done = ask_streamed(client, body)

    assert done == "[DONE]"
    assert assembled(chunks) == said(whole)
    assert (usage["choices"], usage["usage"]) == ([], whole["usage"])
    assert all(chunk["usage"] is None for chunk in chunks)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("body", REQUESTS, ids=str)
def test_the_bill_says_what_the_usage_does(
    threaded: ThreadedMock, body: dict[str, Any], streamed: bool
) -> None:
    client = threaded.connect()
    usage = (ask_streamed(client, body)[-2] if streamed else ask(client, body))["usage"]
    line = threaded.bill.next_line()

    assert (line.model, line.streamed, line.ended) == (body["model"], streamed, "finished")
    assert (line.prompt_tokens, line.completion_tokens, line.cached_tokens, line.reasoning_tokens) == (
        usage["prompt_tokens"],
        usage["completion_tokens"],
        usage["prompt_tokens_details"]["cached_tokens"],
        usage["completion_tokens_details"]["reasoning_tokens"],
    )
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_an_answer_has_exactly_openais_shape(client: Raw) -> None:
    assert ask(client, chat_body("echo", "Hello, world")) == {
        "id": "chatcmpl-mock-1",
        "object": "chat.completion",
        "created": NOW_S,
        "model": "echo",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello, world", "refusal": None},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
        "system_fingerprint": "fp_mock",
        "usage": {
            "prompt_tokens": 7,
            "completion_tokens": 3,
            "total_tokens": 10,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }


def test_a_stream_begins_with_the_role_and_has_one_token_to_a_chunk(client: Raw) -> None:
    client.ask("echo", text="Hello, world", stream=True)
    *chunks, done = sse_data(client.answer().body)

    assert done == "[DONE]"
    assert [chunk["choices"][0]["delta"] for chunk in chunks] == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "Hello"},
        {"content": ","},
        {"content": " world"},
        {},
    ]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert not any("usage" in chunk for chunk in chunks)


def test_echo_answers_the_last_user_message_from_its_text_parts(client: Raw) -> None:
    parts = [
        {"type": "text", "text": "a picture:"},
        {"type": "image_url", "image_url": {"url": "data:"}},
        {"type": "text", "text": " seen"},
    ]
    messages = [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "first"},
        {"role": "user", "content": parts},
        {"role": "assistant", "content": None},
    ]

    answer = ask(client, {"model": "echo", "messages": messages})

    assert answer["choices"][0]["message"]["content"] == "a picture: seen"
    assert answer["usage"]["prompt_tokens"] == 4 * 4 + 2 + 1 + 4


def test_tools_count_as_prompt_and_a_called_one_gets_its_required_arguments(client: Raw) -> None:
    plain = ask(client, chat_body("echo", "call:weather"))
    answer = ask(client, chat_body("echo", "call:weather", tools=[TOOL]))

    (choice,) = answer["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", None)
    assert call["function"]["name"] == "weather"
    assert json.loads(call["function"]["arguments"]) == ARGUMENTS
    assert answer["usage"]["prompt_tokens"] > plain["usage"]["prompt_tokens"]


def test_a_tool_is_not_called_when_forbidden_or_once_it_has_answered(client: Raw) -> None:
    forbidden = chat_body("echo", "call:weather", tools=[TOOL], tool_choice="none")
    answered = chat_body("echo", "call:weather", tools=[TOOL])
    answered["messages"].append({"role": "tool", "content": "rain", "tool_call_id": "c"})

    for body in (forbidden, answered):
        assert ask(client, body)["choices"][0]["message"]["content"] == "call:weather"


def test_json_modes_answer_valid_json(client: Raw) -> None:
    schema = {"name": "s", "schema": TOOL["function"]["parameters"]}  # type: ignore[index]
    shaped = {"type": "json_schema", "json_schema": schema}

    plain = ask(client, chat_body("echo", "hi", response_format={"type": "json_object"}))
    typed = ask(client, chat_body("echo", "hi", response_format=shaped))

    assert json.loads(plain["choices"][0]["message"]["content"]) == {"text": "hi"}
    assert json.loads(typed["choices"][0]["message"]["content"]) == ARGUMENTS


@pytest.mark.parametrize("stop", [" three", ["four", " three", " four"]])
def test_a_stop_sequence_ends_the_answer_before_it(client: Raw, stop: Any) -> None:
    client.ask("echo", text="one two three four", stop=stop)

    answer = client.answer().json
    assert answer["choices"][0]["message"]["content"] == "one two"
    assert (answer["choices"][0]["finish_reason"], answer["usage"]["completion_tokens"]) == ("stop", 2)
