"""Every fault, on every wire."""

import json
from typing import Any

import pytest

from otari_daemon.mock import FAULTS
from otari_daemon.mock.endpoints import ENDPOINTS
from tests.mock.mock_in_thread import ThreadedMock
from tests.mock.mock_raw_client import Raw

ENDLESS = {"ttft_never", "stall_after", "drip_forever", "ping_forever"}
SMALL = 2_000
BODIES: dict[str, dict[str, Any]] = {
    "/v1/messages": {"messages": [{"role": "user", "content": "hello there"}], "max_tokens": 99},
    "/v1/messages/count_tokens": {"messages": [{"role": "user", "content": "hello there"}]},
    "/v1/responses": {"input": "hello there"},
    "/v1/embeddings": {"input": "hello there"},
    "/v1/moderations": {"input": "hello there"},
    "/v1/rerank": {"query": "hello", "documents": ["hello there"]},
    "/v1/images/generations": {"prompt": "hello there"},
    "/v1/audio/speech": {"input": "hello there", "voice": "alloy"},
}
FORMS = ("/v1/images/edits", "/v1/audio/transcriptions", "/v1/audio/translations")
SMALLER = {"desync_second_response": ":1", "firehose": ":5000"}


def ask(client: Raw, path: str, model: str, **fields: Any) -> None:
    """POST what `path` takes, as JSON or as a form."""
    if path in FORMS:
        content, media = form(model), "multipart/form-data; boundary=b"
    else:
        content, media = json.dumps({"model": model, **BODIES[path], **fields}).encode(), "application/json"
    head = f"POST {path} HTTP/1.1\r\nhost: mock\r\nconnection: close\r\ncontent-type: {media}\r\n"
    client.send(f"{head}content-length: {len(content)}\r\n\r\n".encode() + content)


def form(model: str) -> bytes:
    """A file, twice by name, and the fields that go with it."""
    file = b'--b\r\ncontent-disposition: form-data; name="%b"; filename="f"\r\n\r\nxyz\r\n'
    fields = b'--b\r\ncontent-disposition: form-data; name="%b"\r\n\r\n%b\r\n'
    named = fields % (b"model", model.encode()) + fields % (b"prompt", b"hello there")
    return named + file % b"file" + file % b"image" + b"--b--\r\n"


def test_every_endpoint_but_the_chat_is_tried_here() -> None:
    assert {path.decode() for path in ENDPOINTS} == {"/v1/chat/completions", *BODIES, *FORMS}


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_ends_on_every_wire_and_is_billed_once(threaded: ThreadedMock, name: str) -> None:
    number = SMALLER.get(name, "" if FAULTS[name].default is None or name in ENDLESS else f":{SMALL}")
    for path in (*BODIES, *FORMS):
        for fields in ({}, {"stream": True}) if path in ("/v1/messages", "/v1/responses") else ({},):
            client = threaded.connect()
            ask(client, path, f"fault:{name}{number}", **fields)
            if name in ENDLESS:
                client.is_quiet(0.01)  # whatever it begins with
                client.close()
            else:
                client.to_end()
            line = threaded.bill.next_line()
            assert (line.endpoint, line.model) == (path, f"fault:{name}{number}")
            assert (line.ended == "client_left") == (name in ENDLESS)
            assert not line.completion_tokens or path in ("/v1/messages", "/v1/responses")

    client = threaded.connect()
    ask(client, "/v1/responses", "echo")
    assert client.answer().status == 200


LIES: list[tuple[str, Any, Any]] = [
    ("usage_zero", 0, 0),
    ("usage_negative", 6, -5),
    ("usage_huge", 6, 9_000_000_000_000_000_000),
    ("usage_string", "6", "2"),
]


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/responses"])
@pytest.mark.parametrize(("name", "given", "made"), LIES)
def test_a_lie_about_usage_is_told_where_the_truth_would_stand(
    threaded: ThreadedMock, path: str, name: str, given: Any, made: Any
) -> None:
    for stream in (False, True):
        client = threaded.connect()
        ask(client, path, f"fault:{name}", stream=stream)
        answer = client.answer()
        told = [answer.json["usage"]] if not stream else usages(answer.body)
        assert (told[-1]["input_tokens"], told[-1]["output_tokens"]) == (given, made)
        line = threaded.bill.next_line()
        assert (line.prompt_tokens, line.completion_tokens, line.ended) == (6, 2, "finished")


def usages(body: bytes) -> list[Any]:
    """Every usage stated in a stream of messages or responses."""
    events = [event.split("data: ", 1)[1] for event in body.decode().split("\n\n") if event]
    told = []
    for event in map(json.loads, events):
        inner = event.get("message") or event.get("response") or {}
        told += [usage for usage in (inner.get("usage"), event.get("usage")) if usage is not None]
    return told


@pytest.mark.parametrize(
    ("path", "times"),
    [
        ("/v1/messages", {"stream_nousage": 0, "stream_ok": 2, "usage_first": 1, "usage_twice": 3}),
        ("/v1/responses", {"stream_nousage": 0, "stream_ok": 1, "usage_first": 1, "usage_twice": 2}),
    ],
)
def test_usage_is_told_as_often_as_the_fault_says(
    threaded: ThreadedMock, path: str, times: dict[str, int]
) -> None:
    for name, often in times.items():
        client = threaded.connect()
        ask(client, path, f"fault:{name}", stream=True)
        assert (name, len(usages(client.answer().body))) == (name, often)


def test_a_redirect_to_the_same_place_keeps_the_path(threaded: ThreadedMock) -> None:
    client = threaded.connect()
    ask(client, "/v1/embeddings", "fault:redirect_same")

    assert client.answer().headers["location"] == "/v1/embeddings"
