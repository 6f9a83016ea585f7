"""What leaves for a provider that is asked for a response, and what is read of its whole answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.domain.errors import BudgetExceeded, UpstreamFailed
from otari_daemon.domain.intent import Intent, OutputLimit
from otari_daemon.domain.records import Reason
from otari_daemon.wire import usage_openai
from otari_daemon.wire.responses import ResponsesDialect, ResponsesWire
from otari_daemon.wire.responses_tools import CALLS_ASSUMED
from otari_daemon.wire.sse import data_of
from otari_daemon.wire.strict_json import decode
from tests.wire.responses_streams import CALL, PAGE, SEARCH, message, usage_of

WIRE = ResponsesWire()
TEXT = "forty characters of text, more or less.."
ASKED = Intent("up:echo", stream=False, input_max=100, prompt_presumed=10, output_max=None)


def answer(usage: Any = None, output: Any = None, **more: Any) -> bytes:
    made = [message(TEXT)] if output is None else output
    return json.dumps({"status": "completed", "output": made, "usage": usage, **more}).encode()


def read(raw: bytes) -> tuple[Reason, int, bool]:
    """By which rule it settles, how many output tokens it has, and whether it is broken."""
    reading = WIRE.read_answer(raw, usage_openai.RESPONSES, ASKED)
    reported = reading.seen.reported
    tokens = reading.seen.generated_tokens if reported is None else reported.output_tokens
    return reading.reason, tokens, reading.broken


@pytest.mark.parametrize(
    ("raw", "reading"),
    [
        (answer(usage_of(5, 7)), (Reason.USAGE, 7, False)),
        (answer(usage_of(5, 7), error={"code": "server_error"}), (Reason.USAGE, 7, False)),
        (b'{"usage":{"input_tokens":5,"output_tokens":1}}', (Reason.USAGE, 1, False)),
        (answer(), (Reason.ESTIMATED, 10, False)),
        (answer(output=[CALL]), (Reason.ESTIMATED, 7, False)),
        (answer(output=[]), (Reason.ESTIMATED, 0, False)),
        (answer(output={"a": 1}), (Reason.ESTIMATED, 0, False)),
        (answer(output=[5, {"type": ["x"], "content": [7, {"text": 7}]}]), (Reason.ESTIMATED, 1, False)),
        (answer(output=[], error={"code": "server_error"}), (Reason.UPSTREAM_CUT, 0, False)),
        (answer(usage_of(0, 0)), (Reason.USAGE_INVALID, 10, False)),
        (answer(usage_of(5, 0)), (Reason.USAGE_INVALID, 10, False)),
        (answer(usage_of(5, -7)), (Reason.USAGE_INVALID, 10, False)),
        (answer("many"), (Reason.USAGE_INVALID, 10, False)),
        (b'{"error":{"message":"no"}}', (Reason.REFUSED, 0, True)),
        (b"{}", (Reason.REFUSED, 0, True)),
        (b"", (Reason.ESTIMATED, 0, True)),
        (b"<html>123456789</html>", (Reason.ESTIMATED, 6, True)),
    ],
)
def test_a_whole_answer_is_read(raw: bytes, reading: tuple[Reason, int, bool]) -> None:
    assert read(raw) == reading


@given(st.binary(max_size=60) | st.builds(lambda value: json.dumps({"output": value}).encode(), st.text()))
def test_no_answer_is_an_error_of_ours(raw: bytes) -> None:
    assert read(raw)[1] >= 0


def test_calls_tokens_and_tiers_are_read_into_their_classes() -> None:
    stated = usage_of(
        30,
        20,
        input_tokens_details={"cached_tokens": 12, "cache_write_tokens": 8},
        output_tokens_details={"reasoning_tokens": 5},
    )
    raw = answer(stated, [SEARCH, PAGE, {"type": "file_search_call"}, message("x")], service_tier="priority")

    seen = WIRE.read_answer(raw, usage_openai.RESPONSES, ASKED).seen

    assert seen.service == "priority"
    usage = seen.reported
    assert usage is not None
    assert (usage.input, usage.cache_read, usage.cache_write) == (10, 12, 8)
    assert (usage.output, usage.reasoning, usage.tool_calls, usage.requests) == (15, 5, 2, 1)


def outgoing(raw: bytes, limit: OutputLimit | None = None) -> bytes:
    return WIRE.outgoing(raw, decode(raw), "echo", limit)


def test_the_callers_bytes_leave_but_for_the_models_name() -> None:
    rest = (
        b'"input":[ {"role":"user","content":"caf\\u00e9"} ],"store":false,"stream":true,'
        b'"stream_options":{"include_obfuscation":false},"temperature":1.0,"x_unknown":[1,2.50]}'
    )

    assert outgoing(b'{"model":"echo",' + rest) == b'{"model":"echo",' + rest
    assert outgoing(b'{"model":"up:echo",' + rest) == b'{"model":"echo",' + rest


def test_an_answer_without_a_limit_is_given_ours_by_this_apis_name() -> None:
    sent = json.loads(outgoing(b'{"model":"up:echo","input":"hi"}', OutputLimit("max_tokens", 77)))

    assert sent == {"model": "echo", "input": "hi", "max_output_tokens": 77}


@pytest.mark.parametrize(
    ("tools", "own", "sent"),
    [
        ([{"type": "web_search"}], None, CALLS_ASSUMED),
        ([{"type": "mcp", "server_label": "x"}], None, CALLS_ASSUMED),
        ([{"type": "web_search"}], 3, 3),
        ([{"type": "function", "name": "f"}], None, None),
    ],
)
def test_calls_of_the_providers_tools_are_limited(
    tools: list[Any], own: int | None, sent: int | None
) -> None:
    body = {
        "model": "up:echo",
        "input": "hi",
        "tools": tools,
        **({} if own is None else {"max_tool_calls": own}),
    }

    assert json.loads(outgoing(json.dumps(body).encode())).get("max_tool_calls") == sent


def test_an_error_is_openais_and_in_a_stream_the_event_for_it() -> None:
    dialect = ResponsesDialect()
    body = json.loads(dialect.error_body(BudgetExceeded("no budget left"), "req_1"))
    event = dialect.error_event(UpstreamFailed("it broke", status=502), "req_1")

    assert (body["error"]["code"], body["request_id"]) == ("budget_exceeded", "req_1")
    assert event.startswith(b"event: error\ndata: {")
    told = json.loads(data_of(event))
    assert (told["type"], told["message"], told["error"]["message"]) == ("error", "it broke", "it broke")
    assert told["code"] == told["error"]["code"] == "upstream_error"
