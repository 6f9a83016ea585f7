"""Another translator as an oracle: llm-rosetta agrees on what a corpus means, except where it errs.

Where it errs is pinned by name, so that neither its errors nor a mended release go unnoticed.
"""

from __future__ import annotations

from typing import Any

import pytest
from llm_rosetta import convert, convert_response

from tests.wire.translate import corpus, meaning
from tests.wire.translate.wires import CHAT, MESSAGES, RESPONSES, asked

HI = {"model": "m", "max_tokens": 99, "messages": [{"role": "user", "content": "hi"}]}
SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}
MESSAGES_ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "text", "text": "hello"},
    ],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 5,
        "cache_read_input_tokens": 3,
        "cache_creation_input_tokens": 2,
        "output_tokens": 7,
    },
}
CHAT_ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
    "usage": {
        "prompt_tokens": 8,
        "completion_tokens": 7,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 3},
    },
}


@pytest.mark.parametrize("name", corpus.CHAT)
def test_both_say_the_same_to_a_messages_provider(name: str) -> None:
    body = corpus.CHAT[name]

    theirs = convert(body, "anthropic", source_provider="openai_chat")

    assert meaning.of_messages(CHAT.request(body, "m", None)) == meaning.of_messages(theirs)


@pytest.mark.parametrize("name", corpus.CHAT)
def test_both_say_the_same_to_a_chat_provider(name: str) -> None:
    body = CHAT.request(corpus.CHAT[name], "m", None)

    theirs = convert(body, "openai_chat", source_provider="anthropic")

    assert meaning.of_chat(MESSAGES.request(body, "m", None)) == meaning.of_chat(theirs)


@pytest.mark.parametrize("name", [name for name, body in corpus.CHAT.items() if "stop" not in body])
def test_both_say_the_same_for_a_responses_caller(name: str) -> None:
    body = convert(corpus.CHAT[name], "openai_responses", source_provider="openai_chat")

    theirs = convert(body, "openai_chat", source_provider="openai_responses")

    assert meaning.of_chat(RESPONSES.request(body, "m", None)) == meaning.of_chat(theirs)


def test_both_give_the_same_words_and_reasons() -> None:
    ours = CHAT.answer(MESSAGES_ANSWER, asked())["choices"][0]
    theirs = convert_response(MESSAGES_ANSWER, HI, "openai_chat", "anthropic")["choices"][0]

    assert ours["message"]["content"] == theirs["message"]["content"]
    assert ours["message"]["reasoning_content"] == theirs["message"]["reasoning_content"]
    assert ours["finish_reason"] == theirs["finish_reason"]


def usage_of(ours: dict[str, Any], theirs: dict[str, Any], *names: str) -> tuple[list[int], list[int]]:
    return [ours["usage"][name] for name in names], [theirs["usage"][name] for name in names]


def test_known_error_cached_tokens_are_lost_on_the_way_to_chat() -> None:
    theirs = convert_response(MESSAGES_ANSWER, HI, "openai_chat", "anthropic")

    assert usage_of(CHAT.answer(MESSAGES_ANSWER, asked()), theirs, "prompt_tokens", "total_tokens") == (
        [10, 17],
        [5, 12],
    )


def test_known_error_cached_tokens_are_counted_twice_on_the_way_to_messages() -> None:
    theirs = convert_response(CHAT_ANSWER, HI, "anthropic", "openai_chat")

    names = ("input_tokens", "cache_read_input_tokens")
    assert usage_of(MESSAGES.answer(CHAT_ANSWER, asked()), theirs, *names) == ([5, 3], [8, 3])


def test_known_error_a_thoughts_signature_is_lost() -> None:
    theirs = convert_response(MESSAGES_ANSWER, HI, "openai_chat", "anthropic")

    assert "sig" not in str(theirs)
    assert "sig" in str(CHAT.answer(MESSAGES_ANSWER, asked()))


@pytest.mark.filterwarnings("ignore:Anthropic does not support response_format")
def test_known_error_the_format_of_the_answer_is_dropped_both_ways() -> None:
    chat = {**HI, "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}}
    messages = {**HI, "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}

    assert "additionalProperties" not in str(convert(chat, "anthropic", source_provider="openai_chat"))
    assert "additionalProperties" not in str(convert(messages, "openai_chat", source_provider="anthropic"))
    assert CHAT.request(chat, "m", None)["output_config"] == messages["output_config"]
    assert MESSAGES.request(messages, "m", None)["response_format"]["json_schema"]["schema"] == SCHEMA


def test_known_error_a_file_is_dropped() -> None:
    file = {
        "type": "file",
        "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="},
    }
    body = {**HI, "messages": [{"role": "user", "content": [{"type": "text", "text": "read"}, file]}]}

    assert "JVBERi0=" not in str(convert(body, "anthropic", source_provider="openai_chat"))
    assert "JVBERi0=" in str(CHAT.request(body, "m", None))
