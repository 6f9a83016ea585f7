"""Faults of HTTP framing and of bodies, read byte by byte."""

import json
import re

import httptools
import pytest

from tests.mock.mock_in_thread import ThreadedMock
from tests.mock.mock_raw_client import Raw, sse_data

CANARY = b"mock-canary-of-another-answer"


def raw_answer(client: Raw, fault: str) -> bytes:
    """All bytes of the answer, which the end of the connection delimits."""
    client.ask(f"fault:{fault}", headers="connection: close\r\n")
    return client.to_end()[0]


def lengths(head: bytes) -> list[int]:
    return [int(n) for n in re.findall(rb"\r\ncontent-length: (\d+)", head)]


@pytest.mark.parametrize(("fault", "off"), [("cl_short", -20), ("cl_long", 20)])
def test_a_length_is_wrong(client: Raw, fault: str, off: int) -> None:
    head, _, body = raw_answer(client, fault).partition(b"\r\n\r\n")

    assert lengths(head) == [len(body) + off]
    assert json.loads(body)["object"] == "chat.completion"


def test_two_lengths_disagree(client: Raw) -> None:
    head, _, body = raw_answer(client, "cl_dup").partition(b"\r\n\r\n")

    assert lengths(head) == [len(body), len(body) - 20]


def test_length_and_chunks_are_both_announced(client: Raw) -> None:
    head, _, body = raw_answer(client, "te_cl").partition(b"\r\n\r\n")

    assert b"transfer-encoding: chunked" in head
    assert lengths(head) == [int(body.partition(b"\r\n")[0], 16)]
    assert body.endswith(b"\r\n0\r\n\r\n")


def test_trailers_follow_the_chunks(client: Raw) -> None:
    assert raw_answer(client, "trailers").endswith(b"\r\n0\r\nx-trailer: 1\r\ncontent-length: 7\r\n\r\n")


def test_a_header_is_very_long(client: Raw) -> None:
    assert len(raw_answer(client, "header_100k").partition(b"\r\n\r\n")[0]) > 100_000


def test_headers_are_very_many(client: Raw) -> None:
    assert raw_answer(client, "headers_20k").partition(b"\r\n\r\n")[0].count(b"\r\n") > 20_000


def test_a_header_holds_bare_line_ends(client: Raw) -> None:
    assert b"x-split: a\rset-cookie: mock=1\nx-injected: 1\r\n" in raw_answer(client, "crlf_header")


def test_early_hints_come_first_as_many_as_asked_for(client: Raw) -> None:
    data = raw_answer(client, "one_xx_flood:300")

    assert data.count(b"HTTP/1.1 103 Early Hints\r\n") == 300
    assert data.startswith(b"HTTP/1.1 103 ")
    assert data.count(b"HTTP/1.1 200 OK\r\n") == 1


def test_a_second_answer_follows_that_nobody_asked_for(client: Raw) -> None:
    client.ask("fault:desync_second_response:30")

    assert client.answer().json["choices"][0]["message"]["content"] == "hello there"
    assert CANARY in client.answer().body


class Ignored:
    """Callbacks of a parser whose verdict is all that matters."""


@pytest.mark.parametrize("fault", ["chunk_bad", "status_line_junk", "cl_dup", "crlf_header"])
def test_a_strict_parser_refuses_it(client: Raw, fault: str) -> None:
    data = raw_answer(client, fault)

    with pytest.raises(httptools.HttpParserError):
        httptools.HttpResponseParser(Ignored()).feed_data(data)


@pytest.mark.parametrize(
    ("fault", "mark"),
    [
        ("json_nan", b'"score":NaN,"limit":Infinity}'),
        ("json_deep", b"]" * 100_000 + b"}"),
        ("json_badutf8", b'"note":"\xff\xfe\xc0\x80"}'),
        ("json_dup", b'"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}'),
    ],
)
def test_json_is_spoiled(client: Raw, fault: str, mark: bytes) -> None:
    client.ask(f"fault:{fault}")

    body = client.answer().body
    assert body.startswith(b'{"id":"chatcmpl-mock-1"')
    assert body.endswith(mark)


def test_a_repeated_member_contradicts_the_first(client: Raw) -> None:
    client.ask("fault:json_dup")

    body = client.answer().body
    assert body.count(b'"usage":{"prompt_tokens":') == 2


def test_a_page_comes_instead_of_json(client: Raw) -> None:
    client.ask("fault:html_body")

    answer = client.answer()
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.body.startswith(b"<!doctype html>")


def test_nothing_comes_instead_of_json(client: Raw) -> None:
    client.ask("fault:empty_body")

    answer = client.answer()
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "0", b"")


@pytest.mark.parametrize("streamed", [False, True])
def test_the_request_headers_come_back_as_the_answer(threaded: ThreadedMock, streamed: bool) -> None:
    client = threaded.connect()
    client.ask("fault:echo_headers", headers="Authorization: Bearer s\r\n", stream=streamed)

    answer = client.answer()
    if streamed:
        deltas = [chunk["choices"][0]["delta"] for chunk in sse_data(answer.body)[:-1]]
        said = "".join(delta.get("content", "") for delta in deltas)
    else:
        said = answer.json["choices"][0]["message"]["content"]
    assert said.splitlines()[:2] == ["host: mock", "authorization: Bearer s"]
    assert threaded.bill.next_line().ended == "finished"


@pytest.mark.parametrize(
    "fault",
    ["cl_short", "cl_long", "te_cl", "headers_20k", "trailers", "json_nan", "html_body"],
)
def test_a_malformed_answer_is_billed_in_full_as_a_fault(threaded: ThreadedMock, fault: str) -> None:
    client = threaded.connect()
    raw_answer(client, fault)

    line = threaded.bill.next_line()
    assert (line.prompt_tokens, line.completion_tokens, line.ended) == (6, 2, "fault")
