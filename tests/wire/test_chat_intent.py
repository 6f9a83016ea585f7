"""What policy reads from a chat request, and what it refuses, naming the field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.domain.errors import InvalidRequest
from otari_daemon.domain.intent import REMOTE_MEDIA_TOKENS, TOKENS_PER_MESSAGE, Intent
from otari_daemon.mock.ask import read_ask
from otari_daemon.wire.chat import MESSAGES_MAX, TOOLS_MAX, ChatDialect
from otari_daemon.wire.fields import OUTPUT_TOKENS_MAX
from otari_daemon.wire.strict_json import decode

HELLO = [{"role": "user", "content": "hi"}]
CHAT = ChatDialect()


def read(**fields: Any) -> Intent:
    """The intent of a request as it would come in."""
    raw = json.dumps({"model": "up:echo", "messages": HELLO, **fields}).encode()
    return CHAT.read_intent(decode(raw), len(raw))


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize(
    ("value", "output_max"), [(1, 1), (100, 100), (OUTPUT_TOKENS_MAX, OUTPUT_TOKENS_MAX), (None, None)]
)
def test_a_limit_on_the_answer_is_read_in_both_spellings(
    field: str, value: Any, output_max: int | None
) -> None:
    assert read(**{field: value}).output_max == output_max


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens", "n", "best_of"])
@pytest.mark.parametrize(
    "value", [-1, 0, 10**18, OUTPUT_TOKENS_MAX + 1, "100", True, False, 1.5, 100.0, [], {}, [100]], ids=repr
)
def test_a_limit_that_is_no_whole_number_in_range_is_refused(field: str, value: Any) -> None:
    with pytest.raises(InvalidRequest, match="whole number") as caught:
        read(**{field: value})

    assert (caught.value.param, caught.value.status) == (field, 400)


@pytest.mark.parametrize(
    ("older", "newer", "bound"), [(10, 20, 20), (20, 10, 20), (10, 10, 10), (None, 5, 5), (5, None, 5)]
)
def test_where_both_spellings_disagree_the_larger_binds(
    older: int | None, newer: int | None, bound: int
) -> None:
    assert read(max_tokens=older, max_completion_tokens=newer).output_max == bound


def test_a_request_without_a_limit_has_none() -> None:
    assert read().output_max is None


@pytest.mark.parametrize(
    ("fields", "choices"),
    [
        ({}, 1),
        ({"n": None}, 1),
        ({"n": 1}, 1),
        ({"n": 128}, 128),
        ({"best_of": 7}, 7),
        ({"n": 3, "best_of": 7}, 7),
    ],
)
def test_every_answer_that_is_generated_is_counted(fields: dict[str, Any], choices: int) -> None:
    assert read(**fields).choices == choices


def test_more_choices_than_any_provider_makes_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="128"):
        read(n=129)


@pytest.mark.parametrize(
    ("fields", "stream", "shows"),
    [
        ({}, False, False),
        ({"stream": None}, False, False),
        ({"stream": True}, True, False),
        ({"stream": True, "stream_options": None}, True, False),
        ({"stream": True, "stream_options": {}}, True, False),
        ({"stream": True, "stream_options": {"include_usage": None}}, True, False),
        ({"stream": True, "stream_options": {"include_usage": False}}, True, False),
        ({"stream": True, "stream_options": {"include_usage": True, "more": 1}}, True, True),
    ],
)
def test_whether_the_caller_wants_a_stream_and_its_usage(
    fields: dict[str, Any], stream: bool, shows: bool
) -> None:
    intent = read(**fields)

    assert (intent.stream, intent.shows_usage) == (stream, shows)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"stream": "true"}, "stream"),
    ({"stream": 1}, "stream"),
    ({"stream_options": {"include_usage": True}}, "stream_options"),
    ({"stream": False, "stream_options": {}}, "stream_options"),
    ({"stream": True, "stream_options": []}, "stream_options"),
    ({"stream": True, "stream_options": "yes"}, "stream_options"),
    ({"stream": True, "stream_options": {"include_usage": 1}}, "include_usage"),
    ({"messages": None}, "messages"),
    ({"messages": []}, "messages"),
    ({"messages": {}}, "messages"),
    ({"messages": "hi"}, "messages"),
    ({"messages": ["hi"]}, "messages"),
    ({"messages": [None]}, "messages"),
    ({"messages": [{"content": "hi"}]}, "messages"),
    ({"messages": [{"role": 5, "content": "hi"}]}, "messages"),
    ({"messages": [*HELLO, {"role": None}]}, "messages"),
    ({"messages": HELLO * (MESSAGES_MAX + 1)}, "messages"),
    ({"tools": {}}, "tools"),
    ({"tools": [{}] * (TOOLS_MAX + 1)}, "tools"),
]


@pytest.mark.parametrize(("fields", "param"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_policy_cannot_read_is_refused_naming_the_field(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(**fields)

    assert caught.value.param == param


@pytest.mark.parametrize(
    "model",
    ["gpt-4o", "up:echo", "up/echo", "up:meta-llama/Llama-3.1@8b", "mock:fault:s500", "a", "9x", "a" * 200],
)
def test_usable_model_names(model: Any) -> None:
    assert read(model=model).model == model


@pytest.mark.parametrize(
    "model",
    [
        *("", " ", "\t", None, 5, True, ["up:echo"], {"id": "up:echo"}, "a" * 201, "up:echo ", " up:echo"),
        *(
            "up:..",
            "up:a/../b",
            "up://host",
            "a//b",
            "up:echo?x=1",
            "up:echo#x",
            "up:%2e%2e",
            "up:a b",
            "up:a\\b",
        ),
        *(
            "up:ec\u200bho",
            "up:ech\u043e",
            "up:\u202eohce",
            "\uff55p:echo",
            "up:echo\n",
            "up:e\u0301",
            ":echo",
            "/echo",
        ),
        *("-x", ".x", "up:{x}", "up:$x", "up:'x'", "up:x;y", "up:a*"),
    ],
    ids=ascii,
)
def test_unusable_model_names_are_refused(model: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(model=model)

    assert caught.value.param == "model"


STEERING = [
    *("api_key", "api_base", "base_url", "api_version", "client_args", "custom_headers", "default_headers"),
    *(
        "extra_headers",
        "extra_query",
        "extra_body",
        "headers",
        "forward_headers",
        "proxies",
        "proxy",
        "proxy_url",
    ),
    *("http_client", "organization", "host", "region", "endpoint", "endpoint_url", "azure_endpoint"),
    *("callbacks", "success_callback", "failure_callback", "chat_template", "custom_llm_provider"),
    *(
        "aws_access_key_id",
        "aws_region_name",
        "aws_bedrock_runtime_endpoint",
        "vertex_project",
        "vertex_location",
    ),
]


@pytest.mark.parametrize("field", STEERING)
@pytest.mark.parametrize("value", ["x", None, {}, 1])
def test_a_field_that_would_steer_the_request_is_refused(field: str, value: Any) -> None:
    with pytest.raises(InvalidRequest, match="operator") as caught:
        read(**{field: value})

    assert caught.value.param == field


@pytest.mark.parametrize("field", STEERING)
def test_the_same_words_within_a_message_or_a_schema_are_the_callers_own(field: str) -> None:
    schema = {"type": "object", "properties": {field: {"type": "string"}}}
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}

    assert read(messages=[{"role": "user", "content": field, field: "x"}], tools=[tool]).model == "up:echo"


@pytest.mark.parametrize(
    "field",
    ["temperature", "seed", "user", "metadata", "reasoning_effort", "x_unknown", "store"],
)
def test_fields_of_the_providers_api_are_not_ours_to_judge(field: str) -> None:
    assert read(**{field: {"any": ["thing"]}}).model == "up:echo"


@pytest.mark.parametrize("tier", [None, "auto", "default", "flex", "on_demand", "standard_only"])
def test_a_tier_of_service_that_costs_no_more_passes(tier: str | None) -> None:
    assert read(service_tier=tier).model == "up:echo"


@pytest.mark.parametrize("tier", [1, True, ["auto"], {"any": ["thing"]}])
def test_a_tier_of_service_is_a_string(tier: Any) -> None:
    with pytest.raises(InvalidRequest, match="service_tier") as refused:
        read(service_tier=tier)
    assert refused.value.param == "service_tier"


TEXTS = [
    "hi",
    "\u6f22\u5b57" * 50,
    "\U0001f600" * 50,
    "\x01\x02\x7f" * 30,
    "!?" * 50,
    "\u0301" * 60,
    "0" * 500,
]


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_the_prompts_bound_holds_for_text_that_beats_an_estimate(text: str, ascii_only: bool) -> None:
    """A tokenizer over bytes never makes more tokens than bytes, and the mock's is one."""
    messages = [{"role": "user", "content": text}] * 3
    raw = json.dumps({"model": "up:echo", "messages": messages}, ensure_ascii=ascii_only).encode()

    intent = CHAT.read_intent(decode(raw), len(raw))

    assert intent.input_max >= 3 * len(text.encode()) + 3 * TOKENS_PER_MESSAGE
    assert intent.input_max >= read_ask(raw).prompt_tokens()


@given(st.lists(st.text(max_size=40), min_size=1, max_size=8))
def test_the_bound_covers_any_prompt_the_mock_can_count(texts: list[str]) -> None:
    messages = [{"role": "user", "content": text.replace("\0", "")} for text in texts]
    raw = json.dumps({"model": "up:echo", "messages": messages}).encode()

    assert CHAT.read_intent(decode(raw), len(raw)).input_max >= read_ask(raw).prompt_tokens()


@pytest.mark.parametrize("kind", [["image_url"], {"a": 1}, None, 5])
def test_a_part_of_any_type_is_the_providers_to_judge(kind: Any) -> None:
    part = {"type": kind}

    assert read(messages=[{"role": "user", "content": [part]}]).input_max < REMOTE_MEDIA_TOKENS


def test_media_named_by_address_adds_its_worst_case() -> None:
    picture = {"type": "image_url", "image_url": {"url": "http://pictures.example/1.png"}}
    sound = {"type": "input_audio", "input_audio": {"data": "AAAA"}}
    text = {"type": "text", "text": "what is this?"}
    plain = read(messages=[{"role": "user", "content": [text]}]).input_max

    assert read(messages=[{"role": "user", "content": [text, picture, sound]}]).input_max > (
        plain + 2 * REMOTE_MEDIA_TOKENS
    )
