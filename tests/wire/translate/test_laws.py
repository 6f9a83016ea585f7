"""Laws of translation, tried on generated answers and on requests and answers with any part replaced."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otari_daemon.domain.errors import InvalidRequest, UpstreamFailed
from tests.wire.translate.accumulate import accumulated, gist
from tests.wire.translate.official import accept_answer, accept_events
from tests.wire.translate.wires import (
    DIRECTIONS,
    asked,
    chat_chunks,
    chat_stream,
    messages_events,
    messages_stream,
    run,
)

LAW = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
WIRES = ["chat", "messages", "responses"]
GOLDEN = {
    path.stem.partition("_")[0]: json.loads(path.read_text(encoding="utf-8"))
    for path in Path(__file__).with_name("golden").glob("*.json")
}

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
kinds = st.sampled_from(["text", "tool_use", "function", "thinking", "user", "tool", "auto", "json_schema"])
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | words | kinds,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words | kinds, inner, max_size=3),
    max_leaves=6,
)
inputs = st.dictionaries(words, values, max_size=3)
counts = st.integers(0, 1000)


@st.composite
def messages_answers(draw: st.DrawFn) -> dict[str, Any]:
    thoughts = draw(st.lists(words.filter(bool), max_size=2))
    content: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": each, "signature": draw(words)} for each in thoughts
    ]
    content += [{"type": "text", "text": each} for each in draw(st.lists(words, max_size=2))]
    content += [
        {"type": "tool_use", "id": f"t{at}", "name": "f", "input": each}
        for at, each in enumerate(draw(st.lists(inputs, max_size=3)))
    ]
    usage = {
        "input_tokens": draw(counts),
        "output_tokens": draw(counts),
        "cache_read_input_tokens": draw(counts),
        "cache_creation_input_tokens": draw(counts),
    }
    reason = draw(st.sampled_from(["end_turn", "max_tokens", "tool_use", "refusal", "stop_sequence", "new"]))
    return {"id": "msg_1", "content": content, "stop_reason": reason, "usage": usage}


@st.composite
def chat_answers(draw: st.DrawFn) -> dict[str, Any]:
    calls = [
        {"id": f"c{at}", "function": {"name": "f", "arguments": json.dumps(each)}}
        for at, each in enumerate(draw(st.lists(inputs, max_size=3)))
    ]
    message = {
        "reasoning_content": draw(words),
        "content": draw(words),
        "refusal": draw(st.none() | words),
        "tool_calls": calls,
    }
    cached = draw(counts)
    usage = {
        "prompt_tokens": cached + draw(counts),
        "completion_tokens": draw(counts),
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    reason = draw(st.sampled_from(["stop", "length", "tool_calls", "content_filter", "new"]))
    return {"choices": [{"message": message, "finish_reason": reason}], "usage": usage}


def answers(wire: str) -> st.SearchStrategy[dict[str, Any]]:
    return messages_answers() if wire == "chat" else chat_answers()


def streamed(wire: str, answer: dict[str, Any]) -> bytes:
    if wire == "chat":
        return messages_stream(*messages_events(answer))
    return chat_stream(*chat_chunks(answer))


@st.composite
def replaced(draw: st.DrawFn, body: Any) -> Any:
    """`body` with one of its values, at any depth, replaced by any other."""
    whole = here = {"": copy.deepcopy(body)}
    name: Any = ""
    while isinstance(here[name], dict | list) and here[name] and draw(st.integers(0, 4)):
        here = here[name]
        name = draw(st.sampled_from(sorted(here) if isinstance(here, dict) else range(len(here))))
    here[name] = draw(values)
    return whole[""]


@pytest.mark.parametrize("wire", WIRES)
@given(data=st.data())
@settings(LAW, max_examples=60)
def test_a_whole_answer_is_what_its_stream_adds_up_to(wire: str, data: st.DataObject) -> None:
    answer = data.draw(answers(wire))
    request = asked(stream_options={"include_usage": True})

    said = run(DIRECTIONS[wire].stream(request), streamed(wire, answer))
    whole = DIRECTIONS[wire].answer(answer, request)

    assert accumulated(wire, said) == gist(wire, whole)
    accept_answer(wire, whole)
    accept_events(wire, said)


@pytest.mark.parametrize("wire", WIRES)
@given(data=st.data())
@settings(LAW, max_examples=40)
def test_how_a_stream_is_cut_makes_no_difference(wire: str, data: st.DataObject) -> None:
    raw = streamed(wire, data.draw(answers(wire)))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=30)))
    chunks = [raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    whole, cut = DIRECTIONS[wire].stream(asked()), DIRECTIONS[wire].stream(asked())

    assert b"".join(map(cut.feed, chunks)) + cut.finish() == whole.feed(raw) + whole.finish()
    assert cut.ended


@pytest.mark.parametrize("wire", WIRES)
@given(data=st.data())
@settings(LAW, max_examples=200)
def test_any_request_is_said_or_refused_as_invalid(wire: str, data: st.DataObject) -> None:
    body = data.draw(replaced(GOLDEN[wire]["request"]))

    try:
        request = DIRECTIONS[wire].request(body if isinstance(body, dict) else {}, "m", 100)
    except InvalidRequest:
        return
    assert json.loads(json.dumps(request)) == request


@pytest.mark.parametrize("wire", WIRES)
@given(data=st.data())
@settings(LAW, max_examples=150)
def test_any_answer_is_one_the_official_client_reads_or_a_failure(wire: str, data: st.DataObject) -> None:
    body = data.draw(replaced(GOLDEN[wire]["provider_answer"]))

    try:
        answer = DIRECTIONS[wire].answer(body if isinstance(body, dict) else {}, asked())
    except UpstreamFailed:
        return
    accept_answer(wire, answer)


@pytest.mark.parametrize("wire", WIRES)
@given(data=st.data())
@settings(LAW, max_examples=150)
def test_any_stream_is_one_the_official_client_reads_or_a_failure(wire: str, data: st.DataObject) -> None:
    said = data.draw(replaced(GOLDEN[wire]["provider_stream"]))
    kept = [each for each in said if isinstance(each, dict)] if isinstance(said, list) else []
    if wire == "chat":
        raw = b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in kept)
    else:
        raw = chat_stream(*kept)

    try:
        heard = run(DIRECTIONS[wire].stream(asked()), raw)
    except UpstreamFailed:
        return
    accept_events(wire, [each for each in heard if each == "[DONE]" or "error" not in each])


@pytest.mark.parametrize("wire", WIRES)
@given(body=values)
@settings(LAW, max_examples=50)
def test_any_error_body_becomes_an_error_body(wire: str, body: Any) -> None:
    told = DIRECTIONS[wire].error({"error": body})

    assert isinstance(told["error"]["message"], str)
    assert told["error"]["message"]
    assert isinstance(told["error"]["type"], str)
