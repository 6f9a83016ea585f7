"""A wire between two dialects: usage from the provider's bytes, the answer in the caller's words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.domain.errors import UpstreamFailed
from otari_daemon.domain.intent import OutputLimit
from otari_daemon.domain.records import Reason
from otari_daemon.domain.usage import Usage
from otari_daemon.wire import usage_anthropic, usage_openai
from otari_daemon.wire.chat import ChatDialect
from otari_daemon.wire.dialect import Asked, Interpreter, Wire, wire_to
from otari_daemon.wire.messages import MessagesDialect
from tests.wire.messages_streams import WELL_FORMED as MESSAGES_STREAM
from tests.wire.streams import WELL_FORMED as CHAT_STREAM

HELLO: list[Any] = [{"role": "user", "content": "hello"}]
CHAT: dict[str, Any] = {"model": "up:m", "messages": HELLO}
MESSAGES = {**CHAT, "max_tokens": 9}
ANSWER = {
    "id": "msg_1",
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "cache_read_input_tokens": 8, "output_tokens": 7},
}


def wire_of(dialect: Any, body: dict[str, Any], speaks: str, limit_field: str = "max_tokens") -> Wire:
    """The wire of one request to a provider that speaks only so."""
    way = wire_to(dialect, {speaks})
    assert isinstance(way, Interpreter)
    return way.wire_for(Asked(body["model"], "req_1", 1_700_000_000, body), limit_field)


def sent(dialect: Any, body: dict[str, Any], speaks: str, limit: OutputLimit | None, field: str) -> Any:
    wire = wire_of(dialect, body, speaks, field)
    return json.loads(wire.outgoing(json.dumps(body).encode(), body, "m", limit))


def test_an_output_limit_goes_into_the_field_of_the_providers_dialect() -> None:
    limit = OutputLimit("max_completion_tokens", 50)

    over_messages = sent(ChatDialect(), CHAT, "messages", limit, "max_completion_tokens")
    over_chat = sent(MessagesDialect(), MESSAGES, "chat", None, "max_completion_tokens")

    assert (over_messages["max_tokens"], "max_completion_tokens" in over_messages) == (50, False)
    assert (over_chat["max_completion_tokens"], "max_tokens" in over_chat) == (9, False)
    assert (over_messages["model"], over_chat["model"]) == ("m", "m")


def test_usage_is_read_before_translation_and_the_answer_told_after() -> None:
    dialect = ChatDialect()
    wire = wire_of(dialect, CHAT, "messages")

    reading = wire.read_answer(
        json.dumps(ANSWER).encode(), usage_anthropic.MESSAGES, dialect.read_intent(CHAT, 9)
    )

    assert reading.reason is Reason.USAGE
    assert reading.seen.reported == Usage(input=3, cache_read=8, output=7, requests=1)
    assert reading.told is not None
    told = json.loads(reading.told)
    assert (told["choices"][0]["message"]["content"], told["model"], told["created"]) == (
        "hi",
        "up:m",
        1_700_000_000,
    )


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"type":"error","error":{"message":"no"}}',
        b'{"content":5,"usage":{"input_tokens":1,"output_tokens":1}}',
        b'{"usage":{"input_tokens":1,"output_tokens":1}}',
        b'{"content":[{"type":"tool_use","input":' + b"[" * 1200 + b"]" * 1200 + b"}]}",
    ],
)
def test_an_answer_that_cannot_be_told_is_broken_and_never_an_exception(answer: bytes) -> None:
    dialect = ChatDialect()

    reading = wire_of(dialect, CHAT, "messages").read_answer(
        answer, usage_anthropic.MESSAGES, dialect.read_intent(CHAT, 9)
    )

    assert reading.broken


@given(st.lists(st.integers(0, 3000), max_size=5))
def test_no_cut_changes_what_a_caller_gets_of_a_stream(cuts: list[int]) -> None:
    for dialect, body, speaks, usage, stream in (
        (ChatDialect(), CHAT, "messages", usage_anthropic.MESSAGES, MESSAGES_STREAM),
        (MessagesDialect(), MESSAGES, "chat", usage_openai.CHAT, CHAT_STREAM),
    ):
        intent = dialect.read_intent(body, 50)
        found = []
        for places in ([], sorted(cuts)):
            meter = wire_of(dialect, body, speaks).meter(intent, usage)
            ends = [*places, len(stream)]
            parts = [stream[start:end] for start, end in zip([0, *places], ends, strict=True)]
            told = b"".join(map(meter.feed, parts)) + meter.finish()
            found.append((told, meter.reading(), meter.ended))
        assert found[0] == found[1]
        assert found[0][1].reason is Reason.USAGE
        assert found[0][2]


def test_nothing_of_the_end_is_told_before_the_provider_has_ended() -> None:
    dialect = MessagesDialect()
    meter = wire_of(dialect, MESSAGES, "chat").meter(dialect.read_intent(MESSAGES, 50), usage_openai.CHAT)
    before = CHAT_STREAM[: CHAT_STREAM.index(b"data: [DONE]")]

    assert b"message_delta" not in meter.feed(before)
    assert not meter.ended
    assert b"message_stop" in meter.feed(b"data: [DONE]\n\n")
    assert meter.ended


def test_a_stream_that_cannot_be_told_is_a_failure_of_the_provider() -> None:
    dialect = ChatDialect()
    meter = wire_of(dialect, CHAT, "messages").meter(dialect.read_intent(CHAT, 9), usage_anthropic.MESSAGES)

    with pytest.raises(UpstreamFailed):
        meter.feed(b"data: {\n\n")
    assert meter.reading().seen.generated_tokens > 0
