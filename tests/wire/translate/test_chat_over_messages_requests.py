"""A Chat caller, a Messages provider: what is sent, and what is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from otari_daemon.domain.errors import InvalidRequest
from tests.wire.translate.official import accept_provider_request
from tests.wire.translate.wires import CHAT

USER = {"role": "user", "content": "hi"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def sent(*messages: dict[str, Any], limit: int | None = 4096, **more: Any) -> dict[str, Any]:
    """The Messages request for these messages, or for one `hi`."""
    request = CHAT.request({"model": "alias", "messages": list(messages) or [USER], **more}, "m", limit)
    accept_provider_request("chat", request)
    return request


@pytest.mark.parametrize(
    ("limits", "limit", "most"),
    [
        ({}, 4096, 4096),
        ({"max_tokens": 10}, None, 10),
        ({"max_completion_tokens": 20, "max_tokens": 10}, None, 20),
        ({"max_tokens": 9999}, 100, 100),
    ],
)
def test_the_tightest_known_limit_becomes_max_tokens(
    limits: dict[str, int], limit: int | None, most: int
) -> None:
    assert sent(limit=limit, **limits)["max_tokens"] == most


def test_without_any_limit_the_request_cannot_be_said() -> None:
    with pytest.raises(InvalidRequest, match="max_completion_tokens is needed"):
        sent(limit=None)


def test_a_system_prompt_in_the_middle_stays_in_the_middle() -> None:
    request = sent(USER, {"role": "system", "content": "now in verse"}, USER)

    assert "system" not in request
    assert [each["role"] for each in request["messages"]] == ["user", "system", "user"]


def test_results_of_parallel_calls_share_one_turn() -> None:
    calls = [CALL, {**CALL, "id": "c2"}]
    results = [{"role": "tool", "tool_call_id": each["id"], "content": "ok"} for each in calls]

    request = sent(USER, {"role": "assistant", "content": None, "tool_calls": calls}, *results)

    assert [block["tool_use_id"] for block in request["messages"][-1]["content"]] == ["c1", "c2"]


def test_an_id_with_odd_characters_is_the_same_in_call_and_result() -> None:
    call = {**CALL, "id": "functions.f:0/\u00fc"}
    result = {"role": "tool", "tool_call_id": call["id"], "content": "ok"}

    request = sent(USER, {"role": "assistant", "tool_calls": [call]}, result)

    use, back = request["messages"][1]["content"][0], request["messages"][2]["content"][0]
    assert use["id"] == back["tool_use_id"]
    assert use["id"].isascii()
    assert use["id"].replace("_", "").isalnum()


def test_an_assistant_that_said_nothing_is_left_out() -> None:
    assert len(sent(USER, {"role": "assistant", "content": ""}, USER)["messages"]) == 2


@pytest.mark.parametrize(
    ("choice", "more", "said"),
    [
        ("auto", {}, {"type": "auto"}),
        ("none", {}, {"type": "none"}),
        ("required", {}, {"type": "any"}),
        ({"type": "function", "function": {"name": "f"}}, {}, {"type": "tool", "name": "f"}),
        (None, {"parallel_tool_calls": False}, {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", {"parallel_tool_calls": False}, {"type": "any", "disable_parallel_tool_use": True}),
        ("none", {"parallel_tool_calls": False}, {"type": "none"}),
        (None, {"parallel_tool_calls": True}, None),
    ],
)
def test_every_choice_of_tool_has_its_word(choice: Any, more: Any, said: Any) -> None:
    assert sent(tools=[TOOL], tool_choice=choice, **more).get("tool_choice") == said


def test_empty_texts_are_left_out_of_parts() -> None:
    parts = [{"type": "text", "text": ""}, {"type": "text", "text": "hi"}]

    assert sent({"role": "user", "content": parts})["messages"][0]["content"] == parts[1:]


def test_a_choice_without_tools_is_left_out() -> None:
    assert "tool_choice" not in sent(tool_choice="auto", parallel_tool_calls=False)


@pytest.mark.parametrize(
    ("effort", "most", "thinking"),
    [
        ("none", 4096, {"type": "disabled"}),
        ("minimal", 4096, {"type": "enabled", "budget_tokens": 1024}),
        ("high", 100_000, {"type": "enabled", "budget_tokens": 16384}),
        ("high", 10_000, {"type": "enabled", "budget_tokens": 8000}),
        ("high", 1200, None),
    ],
)
def test_effort_becomes_a_budget_that_leaves_room_to_answer(effort: str, most: int, thinking: Any) -> None:
    request = sent(limit=None, max_tokens=most, reasoning_effort=effort)

    assert request.get("thinking") == thinking


def test_effort_gives_way_to_a_forced_tool() -> None:
    assert "thinking" not in sent(tools=[TOOL], tool_choice="required", reasoning_effort="low")


def test_effort_gives_way_in_a_turn_whose_thoughts_did_not_come_back() -> None:
    result = {"role": "tool", "tool_call_id": "c1", "content": "ok"}
    turn = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    thought = {"type": "thinking", "thinking": "x", "signature": "s"}

    assert "thinking" not in sent(USER, turn, result, reasoning_effort="low")
    assert "thinking" in sent(USER, {**turn, "thinking_blocks": [thought]}, result, reasoning_effort="low")


def test_thinking_in_the_providers_own_words_wins_over_effort() -> None:
    assert sent(reasoning_effort="low", thinking={"type": "adaptive"})["thinking"] == {"type": "adaptive"}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logit_bias": {"1": 5}}, "logit_bias"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"presence_penalty": -1}, "presence_penalty"),
        ({"temperature": 1.5}, "temperature"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"store": True}, "store"),
        ({"system": "Be brief."}, "system"),
        ({"stop_sequences": ["a"]}, "stop_sequences"),
        ({"speed": "fast"}, "speed"),
        ({"inference_geo": "us"}, "inference_geo"),
        ({"fallbacks": [{"model": "dearer"}]}, "fallbacks"),
        ({"thread": {"type": "create"}}, "thread"),
        ({"mcp_servers": [{"type": "url", "url": "https://example.test"}]}, "mcp_servers"),
        ({"verbosity": "low"}, "verbosity"),
        ({"service_tier": "flex"}, "service_tier"),
        ({"reasoning_effort": "enormous"}, "reasoning_effort"),
        ({"response_format": {"type": "json_object"}}, "response_format.type"),
        ({"tool_choice": "required", "tools": [{"type": "custom", "custom": {}}]}, "tools[0].type"),
        ({"tool_choice": {"type": "allowed_tools"}, "tools": [TOOL]}, "tool_choice.type"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "system", "content": "alone"}]}, "messages"),
        ({"messages": [{**USER, "name": "ana"}]}, "messages[0].name"),
        ({"messages": [{"role": "function", "name": None, "content": "x"}]}, "messages[0].role"),
    ],
)
def test_what_cannot_be_said_is_refused_by_name(body: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        sent(**body)

    assert caught.value.param == param
    assert caught.value.message.startswith(param)


@pytest.mark.parametrize(
    ("part", "param"),
    [
        ({"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}, "type"),
        ({"type": "image_url", "image_url": {"url": "ftp://example.org/a"}}, "image_url.url"),
        ({"type": "image_url", "image_url": {"url": "data:image/svg+xml;base64,AA"}}, "image_url.url"),
        ({"type": "image_url", "image_url": {"url": "data:image/png,raw"}}, "image_url.url"),
        ({"type": "file", "file": {"file_data": "data:text/csv;base64,AA"}}, "file.file_data"),
        ({"type": "file", "file": {}}, "file.file_id"),
        ({"type": "text"}, "text"),
    ],
)
def test_a_part_that_cannot_be_said_is_refused_by_its_place(part: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        sent({"role": "user", "content": [part]})

    assert caught.value.param == f"messages[0].content[0].{param}"


def test_arguments_that_are_no_object_are_refused() -> None:
    call = {**CALL, "function": {"name": "f", "arguments": "[1]"}}

    with pytest.raises(InvalidRequest, match=r"tool_calls\[0\].function.arguments must be a JSON object"):
        sent(USER, {"role": "assistant", "tool_calls": [call]})
