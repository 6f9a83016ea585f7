"""What a prompt is charged for when nobody has counted it: its words, not its JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otari_daemon.wire.chat import ChatDialect
from otari_daemon.wire.chat_prompt import MEDIA_TOKENS, TEMPLATE_TOKENS

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 100_000}}


@pytest.mark.parametrize(
    ("message", "tokens"),
    [
        ({"content": "one two three"}, 3),
        ({"content": [{"type": "text", "text": "one two"}, "three"]}, 3),
        ({"content": [{"type": "text", "text": "one"}, PICTURE]}, 1 + MEDIA_TOKENS),
        ({"content": None, "reasoning_content": "hm"}, 1),
        ({"content": "\u6f22\u5b57"}, 1),
        ({"content": 5}, 0),
        ({"tool_calls": [{"id": "a"}]}, 8),
    ],
    ids=lambda value: repr(value)[:60],
)
@pytest.mark.parametrize("escaped", [True, False])
def test_a_message_costs_what_it_says(message: dict[str, Any], tokens: int, escaped: bool) -> None:
    body = {"model": "m", "messages": [{"role": "user", **message}], "metadata": {"x": "y" * 5000}}
    raw = json.dumps(body, ensure_ascii=escaped).encode()

    assert ChatDialect().prompt_tokens(raw) == TEMPLATE_TOKENS + tokens


def test_tools_are_part_of_the_prompt() -> None:
    bare = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    armed = {**bare, "tools": [{"type": "function", "function": {"name": "weather"}}]}
    count = ChatDialect().prompt_tokens

    assert count(json.dumps(armed).encode()) - count(json.dumps(bare).encode()) > 8
