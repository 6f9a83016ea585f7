"""Routes, refusals and connections."""

import asyncio
import json

import pytest

from otari_daemon.mock import BillLine, MockServer, charge_nano, prices_pico
from tests.mock.mock_in_thread import ThreadedMock
from tests.mock.mock_raw_client import Raw, chat_body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"model":"echo"}',
        b'{"model":"echo","messages":[]}',
        b'{"model":7,"messages":[{"role":"user"}]}',
        json.dumps(chat_body("echo", n=0)).encode(),
        json.dumps(chat_body("echo", n=129)).encode(),
        json.dumps(chat_body("echo", max_tokens=0)).encode(),
        json.dumps(chat_body("echo", tools=[{"type": "function", "function": {}}])).encode(),
        json.dumps(chat_body("lorem:many")).encode(),
        json.dumps(chat_body("fault:unheard_of")).encode(),
        json.dumps(
            chat_body(
                "echo",
                tools=[{"type": "function", "function": {"name": "a"}}],
                tool_choice={"type": "function", "function": {"name": "b"}},
            )
        ).encode(),
    ],
)
def test_a_bad_request_is_refused_in_openais_shape_and_billed_nothing(
    threaded: ThreadedMock, body: bytes
) -> None:
    client = threaded.connect()
    client.post(body)

    answer = client.answer()
    assert answer.status == 400
    assert answer.json["error"].keys() == {"message", "type", "param", "code"}
    assert answer.json["error"]["type"] == "invalid_request_error"
    line = threaded.bill.next_line()
    assert (line.prompt_tokens, line.completion_tokens, line.ended) == (0, 0, "finished")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/models", 200),
        ("GET", "/v1/models/lorem:5", 200),
        ("GET", "/v1/models/gpt-4", 404),
        ("GET", "/", 404),
        ("GET", "/v1/chat/completions", 405),
        ("POST", "/v1/models", 405),
        ("DELETE", "/v1/chat/completions?x=1", 405),
    ],
)
def test_a_route_answers(client: Raw, method: str, path: str, status: int) -> None:
    client.send(f"{method} {path} HTTP/1.1\r\nhost: mock\r\n\r\n".encode())

    assert client.answer().status == status


def test_every_answer_says_it_is_a_mocks(client: Raw) -> None:
    client.ask("echo")
    assert client.answer().headers["x-mock"] == "1"
    client.ask("echo", stream=True)
    assert client.answer().headers["x-mock"] == "1"
    client.get("/nowhere")
    assert client.answer().headers["x-mock"] == "1"


def test_a_connection_serves_many_requests_and_the_bill_knows_them_apart(
    threaded: ThreadedMock,
) -> None:
    first, second = threaded.connect(), threaded.connect()
    for client, model in ((first, "echo"), (first, "lorem:3"), (second, "echo"), (first, "echo")):
        client.ask(model, stream=True, headers="x-request-id: r\r\notari-request-id: o\r\n")
        client.answer()

    first.get("/mock/bill")
    lines = first.answer().json["lines"]
    assert [line["request"] for line in lines] == [1, 2, 3, 4]
    assert lines[0]["connection"] == lines[1]["connection"] == lines[3]["connection"]
    assert lines[2]["connection"] != lines[0]["connection"]
    assert {(line["request_id"], line["otari_request_id"]) for line in lines} == {("r", "o")}
    for line in lines:
        assert line["began_ns"] <= line["first_byte_ns"] <= line["ended_ns"]


async def test_the_bill_is_not_shown_unless_asked_for(mock: MockServer) -> None:
    port = int(mock.address.split(":")[2].split("/")[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /mock/bill HTTP/1.1\r\nhost: mock\r\nconnection: close\r\n\r\n")

    answer = await asyncio.wait_for(reader.read(), 5)
    assert answer.startswith(b"HTTP/1.1 404 ")
    writer.close()


def test_a_request_in_pieces_is_answered_like_one_at_once(client: Raw) -> None:
    body = json.dumps(chat_body("echo", "in pieces")).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: m\r\nContent-Length: {len(body)}\r\n\r\n"
    for byte in head.encode() + body:
        client.send(bytes([byte]))

    assert client.answer().json["choices"][0]["message"]["content"] == "in pieces"


def test_a_client_that_waits_to_send_its_body_is_told_to(client: Raw) -> None:
    body = json.dumps(chat_body("echo")).encode()
    client.send(
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: mock\r\nexpect: 100-continue\r\n"
        b"content-length: %d\r\n\r\n" % len(body)
    )
    assert client.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"

    client.send(body)
    assert client.answer().status == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\x01\x02 nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nx: " + b"a" * 70_000,
        b"CONNECT example.com:443 HTTP/1.1\r\nhost: example.com\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: m\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    ],
    ids=["not HTTP", "long headers", "a tunnel", "an upgrade"],
)
def test_what_is_not_http_is_answered_400_and_closed(client: Raw, sent: bytes) -> None:
    client.send(sent)

    assert client.to_end()[0].startswith(b"HTTP/1.1 400 ")


def test_connection_close_is_honored(client: Raw) -> None:
    client.ask("echo", headers="connection: close\r\n")
    assert client.to_end()[1] == "fin"


def test_a_request_behind_a_stream_in_progress_is_not_answered(client: Raw) -> None:
    client.ask("drip:3:20", stream=True)
    client.until(b"\r\n\r\n")
    client.ask("echo", text="too early")

    data, end = client.to_end()
    assert data.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    assert (b"too early" in data, end) == (False, "fin")


def test_a_line_is_priced_by_the_published_prices_rounded_up_once() -> None:
    line = BillLine(
        request=1,
        connection=1,
        model="cached",
        prompt_tokens=10,
        cached_tokens=3,
        completion_tokens=4,
        reasoning_tokens=0,
        streamed=False,
        ended="finished",
        request_id="",
        otari_request_id="",
        began_ns=0,
        first_byte_ns=None,
        ended_ns=0,
        client_left_ns=None,
    )

    assert prices_pico() == (1_000_000, 250_000, 2_000_000)
    assert charge_nano(line) == 7 * 1_000 + 3 * 250 + 4 * 2_000
