"""Reading a whole answer: its usage, or what can be counted, or that it is no answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.domain.errors import BudgetExceeded, UpstreamFailed
from otari_daemon.domain.records import Reason
from otari_daemon.wire import usage_openai
from otari_daemon.wire.chat import ChatDialect
from otari_daemon.wire.sse import data_of
from tests.wire.streams import usage_of

CHAT = ChatDialect()
TEXT = "forty characters of text, more or less.."


def answer(usage: Any = None, message: Any = None, **more: Any) -> bytes:
    said = {"role": "assistant", "content": TEXT} if message is None else message
    body = {"choices": [{"index": 0, "message": said, "finish_reason": "stop"}], **more}
    return json.dumps(body if usage is None else {**body, "usage": usage}).encode()


def read(raw: bytes) -> tuple[Reason, int, bool]:
    """By which rule it settles, how many output tokens it has, and whether it is broken."""
    reading = CHAT.read_answer(raw, usage_openai.CHAT)
    reported = reading.seen.reported
    tokens = reading.seen.generated_tokens if reported is None else reported.output_tokens
    return reading.reason, tokens, reading.broken


@pytest.mark.parametrize(
    ("raw", "reading"),
    [
        (answer(usage_of(5, 7)), (Reason.USAGE, 7, False)),
        (answer(usage_of(5, 0), {"content": ""}), (Reason.USAGE, 0, False)),
        (b'{"usage":{"prompt_tokens":5,"completion_tokens":1}}', (Reason.USAGE, 1, False)),
        (answer(), (Reason.ESTIMATED, 10, False)),
        (answer(message={"content": None}), (Reason.ESTIMATED, 0, False)),
        (answer(message=5), (Reason.ESTIMATED, 0, False)),
        (b'{"choices":[5]}', (Reason.ESTIMATED, 0, False)),
        (b'{"choices":5}', (Reason.ESTIMATED, 0, False)),
        (answer(usage_of(0, 0)), (Reason.USAGE_INVALID, 10, False)),
        (answer(usage_of(0, 7)), (Reason.USAGE_INVALID, 10, False)),
        (answer(usage_of(5, 0)), (Reason.USAGE_INVALID, 10, False)),
        (answer(usage_of(5, -7)), (Reason.USAGE_INVALID, 10, False)),
        (answer("many"), (Reason.USAGE_INVALID, 10, False)),
        (b'{"error":{"message":"no"}}', (Reason.REFUSED, 0, True)),
        (b"{}", (Reason.REFUSED, 0, True)),
        (b"", (Reason.ESTIMATED, 0, True)),
        (b"<html>123456789</html>", (Reason.ESTIMATED, 6, True)),
        (b"[1,2]", (Reason.ESTIMATED, 2, True)),
        (b"null", (Reason.ESTIMATED, 1, True)),
        (answer()[:-1] + b',"x":NaN}', (Reason.ESTIMATED, 33, True)),
        (answer()[:-1] + b',"x":' + b"[" * 5000 + b"]" * 5000 + b"}", (Reason.ESTIMATED, 2532, True)),
        (b"\xff\xfe", (Reason.ESTIMATED, 1, True)),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_the_reading_of_known_answers(raw: bytes, reading: Any) -> None:
    reason, tokens, broken = read(raw)

    assert (reason, broken) == (reading[0], reading[2])
    assert tokens == reading[1] or (len(raw) > 100 and abs(tokens - reading[1]) < 20)


CALL = {"id": "c", "type": "function", "function": {"name": "find", "arguments": '{"q":"\u6f22\u5b57"}'}}


@pytest.mark.parametrize(
    ("message", "tokens"),
    [
        ({"content": "abcd"}, 1),
        ({"content": "\u6f22\u5b57"}, 1),
        ({"content": "a", "reasoning_content": "b", "reasoning": "c", "refusal": "d"}, 2),
        ({"tool_calls": [CALL]}, 5),
        ({"tool_calls": [CALL, CALL]}, 9),
        ({"tool_calls": [{"type": "custom", "custom": {"name": "sh", "input": "ls -l"}}]}, 2),
        ({"function_call": {"name": "f", "arguments": "{}"}}, 1),
        ({"tool_calls": 5}, 0),
        ({"tool_calls": [5, None, {"function": None}]}, 0),
        ({"content": [{"type": "text", "text": "ab"}]}, 8),
        ({"content": 12345}, 2),
    ],
    ids=repr,
)
def test_everything_a_model_says_is_counted(message: Any, tokens: int) -> None:
    assert read(answer(message=message))[1] == tokens


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["message", "content", "tool_calls", "function", "usage"]), inner)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["choices", "usage", "error"]), json_values))
def test_no_answer_of_a_provider_is_an_error_of_ours(value: Any) -> None:
    assert read(json.dumps(value).encode())[1] >= 0


@given(st.binary(max_size=60))
def test_no_bytes_of_a_provider_are_an_error_of_ours(raw: bytes) -> None:
    assert read(raw)[1] >= 0


def test_an_error_is_told_in_openais_shape_with_the_request_id() -> None:
    body = json.loads(CHAT.error_body(BudgetExceeded("budget 'x' has no room", param="model"), "req_1"))

    assert body == {
        "error": {
            "message": "budget 'x' has no room",
            "type": "permission_error",
            "param": "model",
            "code": "budget_exceeded",
        },
        "detail": "budget 'x' has no room",
        "request_id": "req_1",
    }


def test_an_error_in_a_stream_is_one_event_and_then_the_end() -> None:
    event, done, rest = CHAT.error_event(UpstreamFailed("broke\noff", status=502), "req_1").split(b"\n\n")

    assert json.loads(data_of(event + b"\n\n"))["error"]["message"] == "broke\noff"
    assert (done, rest) == (b"data: [DONE]", b"")
