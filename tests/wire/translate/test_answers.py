"""Reasons to stop, usage and errors: what providers say of an answer, in each wire's words."""

from __future__ import annotations

from typing import Any

import pytest

from otari_daemon.domain.errors import UpstreamFailed
from otari_daemon.wire.translate.table import translation
from tests.wire.translate.wires import CHAT, MESSAGES, RESPONSES, asked, chat_stream, chunk, run


def chat_answer(finish: str = "stop", usage: Any = None, **message: Any) -> dict[str, Any]:
    return {"choices": [{"message": message, "finish_reason": finish}], "usage": usage}


@pytest.mark.parametrize(
    ("stop_reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        (None, "stop"),
    ],
)
def test_every_reason_of_messages_has_chats_word(stop_reason: Any, finish: str) -> None:
    answer = CHAT.answer({"content": [], "stop_reason": stop_reason}, asked())

    assert answer["choices"][0]["finish_reason"] == finish


@pytest.mark.parametrize(
    ("finish", "stop_reason", "status"),
    [
        ("stop", "end_turn", "completed"),
        ("length", "max_tokens", "incomplete"),
        ("tool_calls", "tool_use", "completed"),
        ("content_filter", "refusal", "incomplete"),
        ("eos", "end_turn", "completed"),
    ],
)
def test_every_reason_of_chat_has_its_words(finish: str, stop_reason: str, status: str) -> None:
    answer = chat_answer(finish, content="hi")

    assert MESSAGES.answer(answer, asked())["stop_reason"] == stop_reason
    assert RESPONSES.answer(answer, asked())["status"] == status


@pytest.mark.parametrize(
    ("thought", "total", "output"), [(4, 17, 7), (4, 21, 11), (9, None, 16), (9, 26, 16)]
)
def test_reasoning_counted_beside_the_completion_joins_the_output(
    thought: int, total: int | None, output: int
) -> None:
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 7,
        "total_tokens": total,
        "completion_tokens_details": {"reasoning_tokens": thought},
    }

    said = MESSAGES.answer(chat_answer(usage=usage, content="hi"), asked())["usage"]

    assert said["output_tokens"] == output
    assert said["output_tokens_details"]["thinking_tokens"] == thought


@pytest.mark.parametrize(
    "usage",
    [None, [], {"prompt_tokens": -1}, {"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 2}}],
)
def test_usage_that_cannot_be_true_is_not_repeated(usage: Any) -> None:
    assert RESPONSES.answer(chat_answer(usage=usage, content="hi"), asked())["usage"] is None
    assert MESSAGES.answer(chat_answer(usage=usage, content="hi"), asked())["usage"]["input_tokens"] == 0


def test_a_refusal_after_words_is_a_part_of_its_own() -> None:
    stream = chat_stream(chunk(content="I "), chunk(refusal="will not"), chunk("stop"))

    said = run(RESPONSES.stream(asked()), stream)

    deltas = [(each["content_index"], each["delta"]) for each in said[:-1] if "delta" in each]
    added = [each["content_index"] for each in said[:-1] if each["type"] == "response.content_part.added"]
    assert deltas == [(0, "I "), (1, "will not")]
    assert added == [0, 1]


def test_arguments_that_are_no_object_are_given_as_they_are() -> None:
    call = {"id": "c1", "function": {"name": "f", "arguments": '{"a": '}}

    content = MESSAGES.answer(chat_answer("length", tool_calls=[call]), asked())["content"]

    assert content[0]["input"] == {"raw_arguments": '{"a": '}


@pytest.mark.parametrize(
    ("stated", "kind"),
    [
        ({"type": "server_error"}, "api_error"),
        ({"type": "tokens", "code": "rate_limit_exceeded"}, "rate_limit_error"),
        ({"type": "invalid_request_error", "code": "invalid_api_key"}, "authentication_error"),
        ({"type": "insufficient_quota"}, "billing_error"),
        ({"type": "invalid_request_error"}, "invalid_request_error"),
        ({"type": "unheard_of"}, "api_error"),
    ],
)
def test_an_error_has_a_type_that_messages_has(stated: dict[str, Any], kind: str) -> None:
    told = MESSAGES.error({"error": {"message": "no", **stated}})

    assert told == {"type": "error", "error": {"type": kind, "message": "no"}}


def test_an_answer_without_content_is_a_failure_of_the_provider() -> None:
    for wire in (CHAT, MESSAGES, RESPONSES):
        with pytest.raises(UpstreamFailed) as caught:
            wire.answer({}, asked())

        assert caught.value.status == 502


def test_the_table_has_a_translation_for_each_direction_and_none_for_others() -> None:
    assert type(translation("chat", "messages", "max_tokens")) is type(CHAT)
    assert translation("messages", "chat", "max_tokens") == MESSAGES
    assert translation("responses", "chat", "max_completion_tokens") == RESPONSES
    assert translation("chat", "chat", "max_tokens") is None
