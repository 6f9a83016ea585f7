"""What a Messages request asks for, and that its hold bounds it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otari_daemon.domain.errors import InvalidRequest
from otari_daemon.domain.intent import REMOTE_MEDIA_TOKENS, Intent
from otari_daemon.domain.usage import NOTHING
from otari_daemon.wire import messages_intent as limits
from otari_daemon.wire.count_tokens import CountTokensDialect
from otari_daemon.wire.messages import MessagesDialect

HELLO: list[Any] = [{"role": "user", "content": "hello"}]
URL = {"type": "url", "url": "https://example.test/x"}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}


def intent_of(**members: Any) -> Intent:
    body = {"model": "up:echo", "max_tokens": 10, "messages": HELLO, **members}
    body = {name: value for name, value in body.items() if value is not ...}
    return MessagesDialect().read_intent(body, len(json.dumps(body)))


def added(**members: Any) -> int:
    """Tokens held for members beyond their bytes."""
    body = {"model": "up:echo", "max_tokens": 10, "messages": HELLO}
    bytes_more = len(json.dumps({**body, **members})) - len(json.dumps(body))
    return intent_of(**members).input_max - intent_of().input_max - bytes_more


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"max_tokens": ...}, "max_tokens"),
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_tokens": 10**18}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": [5]}, "messages"),
        ({"messages": [{"content": "hello"}]}, "messages"),
        ({"messages": HELLO * 4097}, "messages"),
        ({"tools": [{}] * 257}, "tools"),
        ({"tools": [{**SEARCH, "max_uses": -1}]}, "max_uses"),
        ({"stream": "yes"}, "stream"),
        ({"model": "../x"}, "model"),
        ({"speed": 5}, "speed"),
        ({"speed": "fast", "inference_geo": "us"}, "speed"),
        ({"fallbacks": [{"model": "dearer"}]}, "fallbacks"),
        ({"thread": {"type": "continue", "previous_message_id": "msg_1"}}, "thread"),
        ({"billing_policy": {"bill_to": "user_profile"}}, "billing_policy"),
        ({"workspace_id": "w"}, "workspace_id"),
        ({"api_base": "https://example.test"}, "api_base"),
    ],
)
def test_what_policy_cannot_judge_is_refused(members: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        intent_of(**members)

    assert refused.value.param == param


@pytest.mark.parametrize(
    ("members", "most"),
    [
        ({}, 10),
        ({"max_tokens": 4096, "thinking": {"type": "enabled", "budget_tokens": 1024}}, 4096),
        ({"thinking": {"type": "enabled", "budget_tokens": 9000}}, 9000),
        ({"context_management": {"edits": [{"type": "compact_20260112"}]}}, 10 + limits.SUMMARY_TOKENS),
        ({"compaction": {"type": "summarize"}}, 10 + limits.SUMMARY_TOKENS),
        ({"context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}}, 10),
    ],
)
def test_the_output_is_bounded_by_what_may_be_generated(members: dict[str, Any], most: int) -> None:
    assert intent_of(**members).output_max == most


@pytest.mark.parametrize(
    ("content", "pictures"),
    [
        ([{"type": "image", "source": URL}, {"type": "text", "text": "?"}], 1),
        (
            [
                {
                    "type": "document",
                    "source": {"type": "content", "content": [{"type": "image", "source": URL}]},
                }
            ],
            2,
        ),
        ([{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image", "source": URL}]}], 1),
        ([{"type": "container_upload", "file_id": "f"}, 5, None, [[]]], 1),
    ],
)
def test_media_are_held_for_wherever_they_stand(content: list[Any], pictures: int) -> None:
    assert added(messages=[{"role": "user", "content": content}]) == pictures * REMOTE_MEDIA_TOKENS


@pytest.mark.parametrize(
    ("tools", "calls"),
    [
        ([{"name": "f", "input_schema": {}}], 0),
        ([{"type": "bash_20250124", "name": "bash"}], 0),
        ([{**SEARCH, "max_uses": 3}], 3),
        ([SEARCH], limits.SERVER_CALLS_MAX),
        ([{**SEARCH, "max_uses": 3}, {"type": "web_fetch_20250910", "name": "web_fetch", "max_uses": 4}], 7),
    ],
)
def test_tools_that_run_at_the_provider_are_held_for_by_the_call(tools: list[Any], calls: int) -> None:
    foreign = sum("type" in tool for tool in tools)

    assert intent_of(tools=tools).pieces.tool_calls == calls
    assert added(tools=tools) == limits.TOOLS_PROMPT_TOKENS * (1 + foreign) + calls * limits.FOUND_TOKENS


def test_servers_of_tools_are_held_for_too() -> None:
    servers = [{"type": "url", "url": "https://example.test", "name": "x"}]

    assert intent_of(mcp_servers=servers).pieces.tool_calls == limits.SERVER_CALLS_MAX


@pytest.mark.parametrize(
    ("members", "service"),
    [
        ({}, None),
        ({"service_tier": "standard_only"}, "standard_only"),
        ({"service_tier": "auto", "speed": "fast"}, "fast"),
        ({"speed": "standard", "inference_geo": "global"}, None),
        ({"inference_geo": "us"}, "us"),
    ],
)
def test_dearer_kinds_of_service_are_named(members: dict[str, Any], service: str | None) -> None:
    assert intent_of(**members).service == service


def test_a_count_holds_nothing() -> None:
    intent = CountTokensDialect().read_intent({"model": "up:echo", "messages": HELLO}, 10_000)

    assert (intent.input_max, intent.prompt_presumed, intent.choices, intent.pieces) == (0, 0, 0, NOTHING)
