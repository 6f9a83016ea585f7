"""What providers say of one request, streamed and whole: the same classes, and no token twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from otari_daemon.domain.usage import Usage
from otari_daemon.providers.registry import KINDS
from otari_daemon.wire import usage_anthropic, usage_cohere, usage_gemini, usage_openai
from otari_daemon.wire.chat import ChatDialect
from otari_daemon.wire.chat_stream import ChatMeter
from otari_daemon.wire.usage_format import UsageFormat, later

FILES = sorted((Path(__file__).parent / "golden" / "usage").glob("*.json"))
GOLDEN = {path.stem: json.loads(path.read_text()) for path in FILES}
FORMATS = {
    "RESPONSES": usage_openai.RESPONSES,
    "MESSAGES": usage_anthropic.MESSAGES,
    "GENERATE": usage_gemini.GENERATE,
    "COHERE": usage_cohere.CHAT,
}
STREAMED = [name for name, case in GOLDEN.items() if case["events"]]
CHATS = [name for name, case in GOLDEN.items() if case.get("chat")]
STATED = [name for name, case in GOLDEN.items() if not case.get("only_chat")]


def format_of(case: dict[str, Any]) -> UsageFormat:
    """The format of a provider's kind, or of an API that is not Chat Completions."""
    return KINDS[case["kind"]].usage if "kind" in case else FORMATS[case["format"]]


def streamed(form: UsageFormat, events: list[Any]) -> Any:
    """What a stream states once all its events are in."""
    known = None
    for event in events:
        stated = form.stated_in(event)
        known = known if stated is None else later(known, stated)
    return known


def through_the_meter(case: dict[str, Any], step: int) -> Any:
    """What the relay reads from the bytes of a stream that arrive `step` at a time."""
    lines = [b"data: " + json.dumps(event).encode() + b"\n\n" for event in case["events"]]
    raw, meter = b"".join([*lines, b"data: [DONE]\n\n"]), ChatMeter(True, format_of(case))
    passed = b"".join(meter.feed(raw[at : at + step]) for at in range(0, len(raw), step))
    assert passed + meter.finish() == raw
    return meter.reading().seen


def test_every_provider_of_note_has_a_golden_file() -> None:
    assert len(GOLDEN) >= 18


@pytest.mark.parametrize("name", STATED)
def test_a_whole_answer_is_read_into_its_classes(name: str) -> None:
    case = GOLDEN[name]
    form = format_of(case)

    usage = form.read(form.stated_in(case["whole"]))

    assert usage == Usage(**case["usage"])
    if case["total"] is not None:
        assert usage.input_tokens + usage.output_tokens == case["total"]


@pytest.mark.parametrize("name", [name for name in STREAMED if name in STATED])
def test_a_stream_states_what_the_whole_answer_states(name: str) -> None:
    case = GOLDEN[name]
    form = format_of(case)

    assert form.read(streamed(form, case["events"])) == Usage(**case["usage"])


@pytest.mark.parametrize("name", CHATS)
@pytest.mark.parametrize("step", [7, 1 << 20])
def test_the_relay_reads_the_same_from_a_stream_as_from_a_whole_answer(name: str, step: int) -> None:
    case = GOLDEN[name]
    whole = ChatDialect().read_answer(json.dumps(case["whole"]).encode(), format_of(case)).seen

    assert whole.reported == Usage(**case["usage"])
    assert through_the_meter(case, step) == whole


def test_a_service_tier_is_read_from_the_answer() -> None:
    assert through_the_meter(GOLDEN["openai"], 100).service == "default"
    assert through_the_meter(GOLDEN["xai"], 100).service is None
