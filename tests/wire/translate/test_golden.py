"""One rich conversation for each direction: sent, answered and streamed, word for word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.wire.translate.official import accept_answer, accept_events, accept_provider_request
from tests.wire.translate.wires import DIRECTIONS, asked, chat_stream, messages_stream, run

GOLDEN = Path(__file__).with_name("golden")
WIRES = {"chat": "chat_over_messages", "messages": "messages_over_chat", "responses": "responses_over_chat"}


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def golden(wire: str) -> dict[str, Any]:
    text = (GOLDEN / f"{WIRES[wire]}.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def streamed(wire: str, golden: dict[str, Any]) -> list[Any]:
    stream = messages_stream if wire == "chat" else chat_stream
    return run(DIRECTIONS[wire].stream(asked(**golden["request"])), stream(*golden["provider_stream"]))


def test_a_request_is_said_to_the_provider_word_for_word(wire: str, golden: dict[str, Any]) -> None:
    request = DIRECTIONS[wire].request(golden["request"], "model-1", None)

    assert request == golden["provider_request"]
    accept_provider_request(wire, request)


def test_a_request_is_not_changed_by_translating_it(wire: str, golden: dict[str, Any]) -> None:
    before = json.dumps(golden["request"])

    DIRECTIONS[wire].request(golden["request"], "model-1", None)

    assert json.dumps(golden["request"]) == before


def test_an_answer_is_said_to_the_caller_word_for_word(wire: str, golden: dict[str, Any]) -> None:
    answer = DIRECTIONS[wire].answer(golden["provider_answer"], asked(**golden["request"]))

    assert answer == golden["answer"]
    accept_answer(wire, answer)


def test_a_stream_is_said_to_the_caller_event_for_event(wire: str, golden: dict[str, Any]) -> None:
    said = streamed(wire, golden)

    assert said == golden["stream"]
    accept_events(wire, said)
