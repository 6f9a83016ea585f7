"""Streams that are odd, broken or cut, and what the caller is told of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otari_daemon.domain.errors import UpstreamFailed
from otari_daemon.wire.translate import events as limits
from otari_daemon.wire.translate.chat_said import CALLS_MAX
from tests.wire.translate.official import accept_events
from tests.wire.translate.wires import (
    CHAT,
    MESSAGES,
    RESPONSES,
    asked,
    call_delta,
    chat_stream,
    chunk,
    events,
    messages_stream,
    run,
)

START = {
    "type": "message_start",
    "message": {"id": "msg_1", "usage": {"input_tokens": 4, "output_tokens": 1}},
}
OPEN = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
HELLO = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hello"}}
SHUT = {"type": "content_block_stop", "index": 0}
STOP: dict[str, Any] = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn"},
    "usage": {"output_tokens": 3},
}
END = {"type": "message_stop"}


def first_call(index: int, arguments: str) -> dict[str, Any]:
    return call_delta(index, arguments, id=f"c{index}", type="function", name=f"f{index}")


def calls_of(said: list[Any]) -> dict[str, str]:
    """The arguments of each call of a Messages stream, whose blocks must neither overlap nor leave gaps."""
    found: dict[str, str] = {}
    open_name, next_index = "", 0
    for event in said:
        if event["type"] == "content_block_start":
            assert not open_name
            assert event["index"] == next_index
            open_name = event["content_block"].get("name") or event["content_block"]["type"]
            found[open_name] = ""
        elif event["type"] == "content_block_delta":
            assert event["index"] == next_index
            found[open_name] += event["delta"].get("partial_json") or event["delta"].get("text") or ""
        elif event["type"] == "content_block_stop":
            open_name, next_index = "", next_index + 1
    assert not open_name
    return found


def test_calls_that_come_interleaved_become_blocks_one_after_another() -> None:
    said = run(
        MESSAGES.stream(asked()),
        chat_stream(
            chunk(tool_calls=[first_call(0, '{"a"'), first_call(1, '{"b"')]),
            chunk(tool_calls=[call_delta(1, ":2}")]),
            chunk(content="between"),
            chunk(tool_calls=[call_delta(0, ":1}")]),
            chunk("tool_calls"),
        ),
    )

    assert calls_of(said) == {"f0": '{"a":1}', "f1": '{"b":2}', "text": "between"}
    accept_events("messages", said)


def test_a_call_that_waits_goes_on_waiting_once_the_first_is_complete() -> None:
    pieces = [first_call(0, '{"a"'), first_call(1, '{"b"'), call_delta(0, ":1}"), call_delta(1, ":2}")]

    said = run(
        MESSAGES.stream(asked()), chat_stream(*[chunk(tool_calls=[each]) for each in pieces], chunk("stop"))
    )

    assert calls_of(said) == {"f0": '{"a":1}', "f1": '{"b":2}'}


def test_a_second_call_is_streamed_as_it_comes_once_the_first_is_complete() -> None:
    translator = MESSAGES.stream(asked())
    translator.feed(chat_stream(chunk(tool_calls=[first_call(0, '{"a":1}')]))[: -len(limits.DONE)])

    out = translator.feed(
        b"data: " + json.dumps(chunk(tool_calls=[first_call(1, '{"b"')])).encode() + b"\n\n"
    )

    assert [each["type"] for each in events(out)] == [
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
    ]


def test_a_call_that_goes_on_after_its_end_is_no_answer() -> None:
    translator = MESSAGES.stream(asked())

    with pytest.raises(UpstreamFailed, match="goes on with a call"):
        run(
            translator,
            chat_stream(
                chunk(tool_calls=[first_call(0, "{}")]),
                chunk(content="words"),
                chunk(tool_calls=[call_delta(0, "}")]),
            ),
        )


def test_calls_without_numbers_are_told_apart() -> None:
    whole = [{**first_call(0, "{}"), "id": name} for name in ("c1", "c2")]
    for each in whole:
        del each["index"]

    stream = chat_stream(*[chunk(tool_calls=[each]) for each in whole], chunk("stop"))

    kinds = [
        each["content_block"]["id"]
        for each in run(MESSAGES.stream(asked()), stream)
        if "content_block" in each
    ]
    done = run(RESPONSES.stream(asked()), stream)[-2]["response"]["output"]
    assert kinds == ["c1", "c2"]
    assert [each["call_id"] for each in done] == ["c1", "c2"]


def test_a_plain_stop_after_calls_is_a_stop_for_their_sake() -> None:
    said = run(MESSAGES.stream(asked()), chat_stream(chunk(tool_calls=[first_call(0, "{}")]), chunk("stop")))

    assert said[-2]["delta"]["stop_reason"] == "tool_use"


def test_later_usage_replaces_earlier_and_is_never_added() -> None:
    cached = {**STOP, "usage": {"input_tokens": 4, "cache_read_input_tokens": 6, "output_tokens": 3}}

    said = run(
        CHAT.stream(asked(stream_options={"include_usage": True})),
        messages_stream(START, OPEN, HELLO, SHUT, STOP, cached, END),
    )

    assert said[-2]["usage"]["prompt_tokens"] == 10
    assert said[-2]["usage"]["completion_tokens"] == 3
    assert said[-2]["usage"]["prompt_tokens_details"]["cached_tokens"] == 6


def test_usage_is_shown_to_none_who_did_not_ask() -> None:
    said = run(CHAT.stream(asked()), messages_stream(START, OPEN, HELLO, SHUT, STOP, END))

    assert not [each for each in said if each != "[DONE]" and "usage" in each]


@pytest.mark.parametrize("wire", ["chat", "messages", "responses"])
def test_a_stream_cut_before_its_stop_is_not_ended_for_the_provider(wire: str) -> None:
    translator, said = opened(wire)

    assert said
    assert translator.finish() == b""
    assert not translator.ended


def opened(wire: str) -> tuple[Any, bytes]:
    """A stream that has said a word, and what the caller has seen of it."""
    if wire == "chat":
        translator: Any = CHAT.stream(asked())
        return translator, translator.feed(messages_stream(START, OPEN, HELLO))
    translator = (MESSAGES if wire == "messages" else RESPONSES).stream(asked())
    return translator, translator.feed(chat_stream(chunk(content="hello"))[: -len(limits.DONE)])


@pytest.mark.parametrize(
    ("wire", "last"), [("chat", "[DONE]"), ("messages", {"type": "message_stop"}), ("responses", "[DONE]")]
)
def test_a_stream_cut_after_its_stop_is_ended_properly(wire: str, last: Any) -> None:
    translator, _ = opened(wire)
    said = messages_stream(SHUT, STOP) if wire == "chat" else chat_stream(chunk("stop"))[: -len(limits.DONE)]
    translator.feed(said)

    rest = translator.finish()

    assert events(rest)[-1] == last
    assert translator.ended


def test_an_error_in_the_middle_is_told_in_each_wire() -> None:
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
    broken = {"error": {"type": "server_error", "message": "broke", "code": None}}

    chat = run(CHAT.stream(asked()), messages_stream(START, overloaded, END))
    messages = run(MESSAGES.stream(asked()), chat_stream(chunk(content="a"), broken, chunk("stop")))
    responses = run(RESPONSES.stream(asked()), chat_stream(chunk(content="a"), broken, chunk("stop")))

    assert chat[-2]["error"]["message"] == "busy"
    assert chat[-1] == "[DONE]"
    assert messages[-1] == {"type": "error", "error": {"type": "api_error", "message": "broke"}}
    assert [each["type"] for each in responses[-2:]] == ["error", "response.failed"]
    accept_events("responses", responses)


def test_signs_of_life_go_on_in_the_callers_way() -> None:
    assert CHAT.stream(asked()).feed(messages_stream({"type": "ping"})) == b": keepalive\n\n"
    assert events(MESSAGES.stream(asked()).feed(b": hold on\n\n")) == [{"type": "ping"}]
    assert RESPONSES.stream(asked()).feed(b": hold on\n\n") == b": keepalive\n\n"


def test_events_nobody_here_knows_say_nothing() -> None:
    assert CHAT.stream(asked()).feed(messages_stream({"type": "weather_report", "sky": "blue"})) == b""


@pytest.mark.parametrize("data", [b"{", b"[1]", b"null", b'"text"', b"\xff", b"[" * 100_000])
def test_data_that_is_no_object_is_no_stream(data: bytes) -> None:
    for translation in (CHAT, MESSAGES, RESPONSES):
        with pytest.raises(UpstreamFailed, match="stream cannot be read"):
            translation.stream(asked()).feed(b"data: " + data + b"\n\n")


def test_what_was_said_before_a_broken_event_is_given_before_the_failure() -> None:
    translator = MESSAGES.stream(asked())
    whole = chat_stream(chunk(content="hello")).removesuffix(limits.DONE)

    said = events(translator.feed(whole + b"data: {\n\n"))

    assert said[-1]["delta"]["text"] == "hello"
    with pytest.raises(UpstreamFailed):
        translator.feed(b"")
    with pytest.raises(UpstreamFailed):
        translator.finish()


@pytest.mark.parametrize("translation", [MESSAGES, RESPONSES])
def test_the_calls_of_an_answer_are_bounded(translation: Any) -> None:
    calls = [chunk(tool_calls=[call_delta(number, "{}", name="f")]) for number in range(CALLS_MAX + 1)]
    translator = translation.stream(asked())
    translator.feed(chat_stream(*calls[:-1]).removesuffix(limits.DONE))

    with pytest.raises(UpstreamFailed, match="more calls than any answer"):
        translator.feed(chat_stream(calls[-1]))


def test_what_is_kept_of_an_answer_is_bounded() -> None:
    piece = b"data: " + json.dumps(chunk(content="x" * 1_000_000)).encode() + b"\n\n"
    translator = RESPONSES.stream(asked())
    for _ in range(limits.ANSWER_CHARS_MAX // 1_000_000):
        translator.feed(piece)

    with pytest.raises(UpstreamFailed, match="longer than any answer"):
        translator.feed(piece)
