"""Faults of server-sent events, as they are on the wire."""

import json
import re

import pytest

from tests.mock.mock_in_thread import ThreadedMock
from tests.mock.mock_raw_client import Raw, sse_data

DONE = b"data: [DONE]\n\n"


def sse(client: Raw, fault: str, text: str = "hello there") -> bytes:
    """The body of the stream, its chunks joined."""
    client.ask(f"fault:{fault}", text=text, stream=True)
    answer = client.answer()
    assert answer.headers["content-type"].startswith("text/event-stream")
    return answer.body


@pytest.fixture
def honest(client: Raw) -> bytes:
    """The events of an honest answer to the same request, `[DONE]` left out."""
    return without_id(sse(client, "stream_ok").removesuffix(DONE))


def without_id(body: bytes) -> bytes:
    return re.sub(rb"chatcmpl-mock-\d+|fault:[\w:]+", b"", body)


@pytest.mark.parametrize(
    ("fault", "end"),
    [
        ("sse_nodone", b""),
        ("sse_doubledone", DONE + DONE),
        ("sse_after_done", DONE + b'data: {"id":"chatcmpl-mock-late","choices":[],"late":true}\n\n'),
    ],
)
def test_a_stream_ends_oddly(client: Raw, honest: bytes, fault: str, end: bytes) -> None:
    assert without_id(sse(client, fault)) == honest + end


def test_line_ends_are_mixed(client: Raw, honest: bytes) -> None:
    body = without_id(sse(client, "sse_crlfmix"))

    assert {b"}\n\n", b"}\r\n\r\n", b"}\r\r", b"}\r\n\n"} <= set(re.findall(rb"}[\r\n]+", body))
    assert re.split(rb"[\r\n]+", body)[:4] == honest.split(b"\n\n")[:4]


def test_a_byte_order_mark_comes_first(client: Raw, honest: bytes) -> None:
    assert without_id(sse(client, "sse_bom")) == b"\xef\xbb\xbf" + honest + DONE


def test_characters_are_cut_between_chunks(client: Raw) -> None:
    client.ask("fault:sse_split_utf8", stream=True)
    client.until(b"\r\n\r\n")
    chunks = []
    while size := int(client.until(b"\r\n"), 16):
        chunks.append(client.exactly(size))
        client.exactly(2)

    cut = 0
    for chunk in chunks:
        try:
            chunk.decode()
        except UnicodeDecodeError:
            cut += 1
    deltas = [c["choices"][0]["delta"] for c in sse_data(b"".join(chunks))[:-1]]
    said = "".join(delta.get("content", "") for delta in deltas)
    assert said == "na\u00efve \u20ac 42 \U0001f600 \u6f22\u5b57"
    assert cut >= 5


def test_one_event_is_not_json(client: Raw) -> None:
    bad = []
    for event in sse(client, "sse_badjson").split(b"\n\n")[:-2]:
        try:
            json.loads(event.removeprefix(b"data: "))
        except ValueError:
            bad.append(event)

    assert bad == [b'data: {"id":"chatcmpl-mock","choices":[{"index":0,"delta":{"content":"']


def test_a_page_comes_as_a_stream(client: Raw) -> None:
    assert sse(client, "sse_html").startswith(b"<!doctype html>")


def test_comments_come_first_as_many_as_asked_for(client: Raw, honest: bytes) -> None:
    body = without_id(sse(client, "sse_comment_flood:5000"))

    assert body == b": flood\n\n" * 5_000 + honest + DONE


def test_no_blank_line_ever_ends_an_event(client: Raw, honest: bytes) -> None:
    body = without_id(sse(client, "sse_missing_blank"))

    assert body == (honest + DONE).replace(b"\n\n", b"\n")


def test_an_error_event_ends_the_stream_and_only_the_tokens_before_it_are_billed(
    threaded: ThreadedMock,
) -> None:
    client = threaded.connect()
    body = sse(client, "sse_error_event")

    *events, error, rest = body.split(b"\n\n")
    assert error.startswith(b'event: error\ndata: {"error":')
    assert (len(events), rest) == (4, b"")
    assert threaded.bill.next_line().completion_tokens == 3


def test_one_event_is_as_large_as_asked_for(client: Raw, honest: bytes) -> None:
    body = without_id(sse(client, "sse_event_50mb:300000"))

    pad = b'data: {"choices":[],"pad":"' + b"x" * 300_000 + b'"}\n\n'
    assert body.replace(pad, b"", 1) == honest + DONE


def test_a_broken_stream_comes_even_if_none_was_asked_for(client: Raw) -> None:
    client.ask("fault:sse_nodone")

    assert client.answer().headers["content-type"].startswith("text/event-stream")
