"""Messages and Responses callers, a Chat provider: what is sent, and what is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from otari_daemon.domain.errors import InvalidRequest
from tests.wire.translate.official import accept_provider_request
from tests.wire.translate.wires import MESSAGES, RESPONSES

USER = {"role": "user", "content": "hi"}
TOOL = {"name": "f", "input_schema": {"type": "object"}}
FLAT = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}


def from_messages(*turns: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The Chat request for these turns, or for one `hi`."""
    body = {"model": "alias", "max_tokens": 99, "messages": list(turns) or [USER], **more}
    request = MESSAGES.request(body, "m", None)
    accept_provider_request("messages", request)
    return request


def from_responses(given: Any = "hi", **more: Any) -> dict[str, Any]:
    """The Chat request for this input."""
    request = RESPONSES.request({"model": "alias", "input": given, **more}, "m", None)
    accept_provider_request("responses", request)
    return request


def test_the_limit_is_called_what_the_provider_calls_it() -> None:
    assert from_messages()["max_tokens"] == 99
    assert from_responses(max_output_tokens=7)["max_completion_tokens"] == 7
    assert RESPONSES.request({"input": "hi"}, "m", 50)["max_completion_tokens"] == 50


def test_a_stream_asks_for_its_usage() -> None:
    assert from_messages(stream=True)["stream_options"] == {"include_usage": True}
    assert from_responses(stream=True)["stream_options"] == {"include_usage": True}
    assert "stream_options" not in from_messages(stream=False)


def test_results_go_before_what_the_user_says_with_them() -> None:
    use = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t1"}
    said = {"type": "text", "text": "and?"}

    request = from_messages(
        USER, {"role": "assistant", "content": [use]}, {"role": "user", "content": [said, result]}
    )

    assert [each["role"] for each in request["messages"]] == ["user", "assistant", "tool", "user"]
    assert request["messages"][2]["content"] == ""
    assert request["messages"][3]["content"] == "and?"


@pytest.mark.parametrize(
    ("choice", "said", "parallel"),
    [
        ({"type": "auto"}, "auto", None),
        ({"type": "any", "disable_parallel_tool_use": True}, "required", False),
        ({"type": "none"}, "none", None),
        ({"type": "tool", "name": "f"}, {"type": "function", "function": {"name": "f"}}, None),
    ],
)
def test_every_choice_of_tool_has_its_word(choice: Any, said: Any, parallel: Any) -> None:
    request = from_messages(tools=[TOOL], tool_choice=choice)

    assert request["tool_choice"] == said
    assert request.get("parallel_tool_calls") == parallel


@pytest.mark.parametrize(
    ("more", "effort"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "minimal"),
        ({"thinking": {"type": "enabled", "budget_tokens": 10_000}}, "high"),
        ({"thinking": {"type": "enabled", "budget_tokens": 900_000}}, "max"),
        ({"thinking": {"type": "disabled"}}, None),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}, "low"),
    ],
)
def test_a_budget_becomes_effort(more: dict[str, Any], effort: str | None) -> None:
    assert from_messages(**more).get("reasoning_effort") == effort


def test_calls_that_follow_each_other_share_one_message() -> None:
    call = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
    out = {"type": "function_call_output", "call_id": "c1", "output": "ok"}

    request = from_responses([USER, call, {**call, "call_id": "c2"}, out, {**out, "call_id": "c2"}, call])

    roles = [each["role"] for each in request["messages"]]
    assert roles == ["user", "assistant", "tool", "tool", "assistant"]
    assert [each["id"] for each in request["messages"][1]["tool_calls"]] == ["c1", "c2"]


def test_allowed_tools_are_said_in_chats_shape() -> None:
    choice = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]}

    said = from_responses(tools=[FLAT], tool_choice=choice)["tool_choice"]

    named = {"type": "function", "function": {"name": "f"}}
    assert said == {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [named]}}


def test_fields_nobody_here_knows_go_on() -> None:
    assert from_messages(min_p=0.1)["min_p"] == 0.1
    assert from_responses(seed=3)["seed"] == 3


@pytest.mark.parametrize(
    "more",
    [
        {"n": 2},
        {"best_of": 3},
        {"max_completion_tokens": 10**6},
        {"logprobs": True},
        {"web_search_options": {}},
        {"modalities": ["text", "audio"]},
    ],
)
def test_chats_own_fields_cannot_pass_the_callers_limits_by(more: dict[str, Any]) -> None:
    for ask in (from_messages, from_responses):
        with pytest.raises(InvalidRequest) as caught:
            ask(**more)

        assert caught.value.param == next(iter(more))


def test_another_spelling_of_the_limit_cannot_pass_the_hold_by() -> None:
    with pytest.raises(InvalidRequest, match="max_tokens is called max_output_tokens"):
        from_responses(max_tokens=10**6)


def user_block(**block: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [block]}]}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [USER, {"role": "assistant", "content": "The answer is"}]}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools[0].type"),
        ({"tools": [{"name": "f"}]}, "tools[0].input_schema"),
        ({"tool_choice": {"type": "some"}}, "tool_choice.type"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"output_config": {"format": {"type": "xml"}}}, "output_config.format.type"),
        ({"container": "c"}, "container"),
        ({"mcp_servers": [{"url": "x"}]}, "mcp_servers"),
        ({"speed": "fast"}, "speed"),
        ({"stop_sequences": [1]}, "stop_sequences[0]"),
        ({"max_tokens": 0}, "max_tokens"),
        (
            user_block(type="image", source={"type": "file", "file_id": "f"}),
            "messages[0].content[0].source.type",
        ),
        (
            user_block(type="document", source={"type": "url", "url": "https://example.org"}),
            "messages[0].content[0].source.type",
        ),
        (
            user_block(type="document", citations={"enabled": True}, source={}),
            "messages[0].content[0].citations",
        ),
        (user_block(type="search_result"), "messages[0].content[0].type"),
    ],
)
def test_what_messages_can_say_and_chat_cannot_is_refused_by_name(body: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        from_messages(**body)

    assert caught.value.param == param


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"given": None}, "input"),
        ({"given": []}, "input"),
        ({"given": [{"type": "item_reference", "id": "x"}]}, "input[0].type"),
        ({"given": [{"role": "user", "content": [{"type": "video"}]}]}, "input[0].content[0].type"),
        (
            {"given": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
            "input[0].content[0].image_url",
        ),
        (
            {"given": [{"role": "user", "content": [{"type": "input_file", "file_url": "x"}]}]},
            "input[0].content[0].file_url",
        ),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"background": True}, "background"),
        ({"truncation": "auto"}, "truncation"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"include": ["message.output_text.logprobs"]}, "include"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tools": [FLAT], "tool_choice": {"type": "file_search"}}, "tool_choice.type"),
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort"),
        ({"text": {"format": {"type": "grammar"}}}, "text.format.type"),
    ],
)
def test_what_responses_can_say_and_chat_cannot_is_refused_by_name(body: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        from_responses(**body)

    assert caught.value.param == param
