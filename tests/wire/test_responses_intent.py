"""What policy reads from a request for a response, and what it refuses, naming the field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.domain.errors import InvalidRequest
from otari_daemon.domain.intent import REMOTE_MEDIA_TOKENS, TOKENS_PER_MESSAGE, Intent
from otari_daemon.wire.fields import OUTPUT_TOKENS_MAX
from otari_daemon.wire.responses import CONTEXT_TOKENS, ITEMS_MAX, RECALLED_TOKENS, ResponsesDialect
from otari_daemon.wire.responses_tools import CALLS_ASSUMED, CALLS_MAX, TOOLS_MAX
from otari_daemon.wire.strict_json import decode

RESPONSES = ResponsesDialect()
FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object"}}
MCP = {"type": "mcp", "server_label": "x", "server_url": "https://tools.example"}
SEARCH = {"type": "web_search"}


def raw_of(**fields: Any) -> bytes:
    return json.dumps({"model": "up:echo", "input": "hi", **fields}).encode()


def read(**fields: Any) -> Intent:
    """The intent of a request as it would come in."""
    raw = raw_of(**fields)
    return RESPONSES.read_intent(decode(raw), len(raw))


def refused(**fields: Any) -> str | None:
    """The field that a refusal names."""
    with pytest.raises(InvalidRequest) as caught:
        read(**fields)
    return caught.value.param


def test_a_text_is_bound_by_the_bodys_bytes() -> None:
    asked = read(max_output_tokens=9, stream=True, service_tier="flex")

    sent = len(raw_of(max_output_tokens=9, stream=True, service_tier="flex"))
    assert (asked.input_max, asked.output_max, asked.stream) == (sent + TOKENS_PER_MESSAGE, 9, True)
    assert (asked.service, asked.rounds, asked.reach) == ("flex", 1, {"responses", "chat"})


@pytest.mark.parametrize("value", [0, -1, 1.5, "100", True, [], OUTPUT_TOKENS_MAX + 1])
def test_a_limit_that_is_none_is_refused(value: Any) -> None:
    assert refused(max_output_tokens=value) == "max_output_tokens"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("background", True),
        ("previous_response_id", "resp_1"),
        ("conversation", "conv_1"),
        ("conversation", {"id": "conv_1"}),
        ("prompt", {"id": "pmpt_1"}),
        ("context_management", [{"type": "compaction"}]),
        ("api_key", "sk"),
        ("base_url", "https://elsewhere.example"),
        ("service_tier", 1),
        ("model", "../x"),
        ("stream", "yes"),
        ("background", "yes"),
        ("input", None),
        ("input", []),
        ("input", 5),
        ("input", {"role": "user"}),
        ("input", ["hi"]),
        ("input", [{"type": "item_reference", "id": "msg_1"}]),
        ("input", [{"id": "msg_1"}]),
        ("input", [{"type": None, "id": "msg_1"}]),
        ("input", [{"type": "compaction_trigger"}]),
        ("input", [{"role": "user"}] * (ITEMS_MAX + 1)),
        ("tools", {"type": "function"}),
        ("tools", ["web_search"]),
        ("tools", [{"name": "f"}]),
        ("tools", [{"type": ["function"]}]),
        ("tools", [FUNCTION] * (TOOLS_MAX + 1)),
        ("tools", [{"type": "image_generation"}]),
        ("tools", [{"type": "programmatic_tool_calling"}]),
        ("tools", [{"type": "not_yet_invented"}]),
        ("tools", [{"type": "shell"}]),
        ("tools", [{"type": "shell", "environment": {"type": "container_auto"}}]),
        ("tools", [{"type": "code_interpreter", "container": {"type": "auto", "memory_limit": "64g"}}]),
        ("tools", [{"type": "namespace", "tools": [{"type": "image_generation"}]}]),
        ("tools", [{"type": "namespace", "tools": [{"type": "namespace", "tools": ["x"]}]}]),
    ],
)
def test_what_cannot_be_bounded_or_read_is_refused_by_name(field: str, value: Any) -> None:
    assert refused(**{field: value}) == field


@pytest.mark.parametrize("kind", ["additional_tools", "tool_search_output"])
def test_tools_that_come_as_input_are_tools_too(kind: str) -> None:
    assert refused(input=[{"type": kind, "tools": [{"type": "image_generation"}]}]) == "tools"
    assert read(input=[{"type": kind, "tools": [SEARCH]}]).pieces.tool_calls == CALLS_ASSUMED


@pytest.mark.parametrize(
    ("tools", "calls", "charged"),
    [
        ([], 0, 0),
        ([FUNCTION, {"type": "custom", "name": "c"}], 0, 0),
        ([{"type": "shell", "environment": {"type": "local"}}, {"type": "apply_patch"}], 0, 0),
        ([{"type": "computer_use_preview", "display_width": 800}], 0, 0),
        ([{"type": "tool_search", "execution": "client"}], 0, 0),
        ([{"type": "tool_search"}], CALLS_ASSUMED, 0),
        ([FUNCTION, MCP], CALLS_ASSUMED, 0),
        ([SEARCH], CALLS_ASSUMED, CALLS_ASSUMED),
        ([{"type": "web_search", "execution": "client"}], CALLS_ASSUMED, CALLS_ASSUMED),
        ([MCP, {"type": "file_search"}], CALLS_ASSUMED, CALLS_ASSUMED),
        ([{"type": "code_interpreter", "container": {"type": "auto"}}], CALLS_ASSUMED, CALLS_ASSUMED),
        ([{"type": "namespace", "tools": [FUNCTION, SEARCH]}], CALLS_ASSUMED, CALLS_ASSUMED),
    ],
)
def test_each_call_of_the_providers_tools_is_a_round_and_maybe_a_charge(
    tools: list[Any], calls: int, charged: int
) -> None:
    asked = read(tools=tools)

    assert (asked.rounds, asked.pieces.tool_calls) == (1 + calls, charged)
    assert (asked.input_max >= asked.rounds * CONTEXT_TOKENS) is (calls > 0)


@pytest.mark.parametrize(("asked", "calls"), [(1, 1), (CALLS_MAX, CALLS_MAX), (None, CALLS_ASSUMED)])
def test_the_callers_own_limit_on_calls_is_taken(asked: int | None, calls: int) -> None:
    assert read(tools=[SEARCH], max_tool_calls=asked).pieces.tool_calls == calls


@pytest.mark.parametrize("value", [0, CALLS_MAX + 1, "1", True])
def test_a_limit_on_calls_that_is_none_is_refused(value: Any) -> None:
    assert refused(tools=[MCP], max_tool_calls=value) == "max_tool_calls"


@pytest.mark.parametrize(
    "item",
    [
        {"role": "user", "content": [{"type": "input_image", "image_url": "https://pictures.example/a"}]},
        {"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_image", "file_id": "f"}]},
        {"type": "computer_call_output", "output": {"type": "computer_screenshot", "file_id": "file-1"}},
    ],
)
def test_media_that_are_named_are_held_for(item: dict[str, Any]) -> None:
    assert read(input=[item]).input_max >= REMOTE_MEDIA_TOKENS


def test_reasoning_that_the_provider_keeps_is_held_for_and_what_is_sent_is_not() -> None:
    kept = {"type": "reasoning", "id": "rs_1", "summary": []}

    assert read(input=[kept, kept]).input_max >= 2 * RECALLED_TOKENS
    assert read(input=[{**kept, "encrypted_content": "gAAA"}]).input_max < RECALLED_TOKENS


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 300) | st.sampled_from(["message", "namespace", "mcp", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "role", "content", "output", "tools", "id", "environment", "text"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
FIELDS = ("input", "tools", "instructions", "max_tool_calls", "background", "stream", "container")


@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=5))
def test_no_body_is_an_error_of_ours(fields: dict[str, Any]) -> None:
    try:
        asked = read(**fields)
    except InvalidRequest:
        return
    assert asked.input_max >= len(raw_of(**fields))
    assert RESPONSES.prompt_tokens(raw_of(**fields)) >= 0


def test_a_prompt_is_counted_with_instructions_items_and_tools() -> None:
    text = "three letter words are one token each"
    plain = RESPONSES.prompt_tokens(raw_of(input=text))
    item = {"role": "user", "content": [{"type": "input_text", "text": text}]}

    assert RESPONSES.prompt_tokens(raw_of(input=[item])) == plain
    assert RESPONSES.prompt_tokens(raw_of(input=text, instructions=text)) == 2 * plain
    assert RESPONSES.prompt_tokens(raw_of(input=text, tools=[FUNCTION])) > plain + 5
    assert RESPONSES.prompt_tokens(raw_of(input=[{"type": "function_call_output", "output": text}])) == plain
