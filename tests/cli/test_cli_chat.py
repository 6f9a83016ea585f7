"""`otari chat`: an answer as it comes, and what it cost."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from otari_daemon.protocol.messages import ProviderInfo
from tests.admin.fake_operations import FakeOperations
from tests.admin.served import Served, serve
from tests.cli.conftest import Otari


class Gateway:
    """A public edge that says what a test wants, and remembers what it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.frames: list[str] = []
        self.asked: list[dict[str, Any]] = []
        self.credentials: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message["more_body"]:
                break
        self.asked.append(json.loads(body))
        self.credentials.append(dict(scope["headers"])[b"authorization"])
        headers = [(b"content-type", b"text/event-stream"), (b"x-request-id", b"req_1")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        for frame in self.frames:
            await send({"type": "http.response.body", "body": frame.encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _delta(text: str) -> str:
    return f"data: {json.dumps({'choices': [{'delta': {'content': text}}]})}\n\n"


@pytest.fixture(scope="session")
def public() -> Iterator[Served]:
    import socket

    with serve(family=socket.AF_INET) as served:
        yield served


@pytest.fixture
def gateway(public: Served, operations: FakeOperations) -> Gateway:
    public.app = Gateway()
    operations.state = replace(operations.state, listen=public.path)
    gateway: Gateway = public.app
    return gateway


def test_an_answer_is_shown_and_its_cost_told(otari: Otari, gateway: Gateway) -> None:
    gateway.frames = [": ping\n\n", _delta("Hel"), _delta("lo\nyou"), "data: [DONE]\n\n"]

    ran = otari("chat", "--key", "gw-x", "good", "morning")

    assert ran == (0, "Hello\nyou\n", "$0.0186  21.3k in / 611 out  first 604ms  3.9s  gpt-5.6  req_1\n")
    assert gateway.asked == [
        {"model": "mock:echo", "messages": [{"role": "user", "content": "good morning"}], "stream": True}
    ]
    assert gateway.credentials == [b"Bearer gw-x"]


def test_a_conversation_remembers(otari: Otari, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway.frames = [_delta("ok"), "data: [DONE]\n\n"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("one\n\ntwo\n"))
    monkeypatch.setenv("OTARI_KEY", "gw-y")

    ran = otari("chat", "--model", "a:b")

    assert (ran.code, ran.out) == (0, "ok\nok\n")
    assert [turn["content"] for turn in gateway.asked[1]["messages"]] == ["one", "ok", "two"]


def test_what_a_model_says_cannot_drive_the_terminal(otari: Otari, gateway: Gateway) -> None:
    gateway.frames = [_delta("a\x1b"), _delta("]0;x\x07\u202eb\x9b"), "data: [DONE]\n\n"]

    assert otari("chat", "--key", "k", "hi").out == "a]0;xb\n"


@pytest.mark.parametrize(
    ("status", "frames", "code", "out", "says"),
    [
        (401, ['{"error":{"message":"no such key","code":"invalid_api_key"}}'], 3, "", "no such key"),
        (403, ['{"error":{"message":"no room","code":"budget_exceeded"}}'], 3, "", "no room"),
        (502, ["<html>"], 1, "", "the gateway answered 502"),
        (200, [_delta("half")], 7, "half\n", "the answer broke off"),
        (
            200,
            [_delta("half"), 'data: {"error":{"message":"upstream fell"}}\n\n'],
            7,
            "half\n",
            "upstream fell",
        ),
    ],
)
def test_what_goes_wrong_is_told_and_ends_so(
    otari: Otari, gateway: Gateway, status: int, frames: list[str], code: int, out: str, says: str
) -> None:
    gateway.status, gateway.frames = status, frames

    ran = otari("chat", "--key", "k", "hi")

    assert (ran.code, ran.out, says in ran.err) == (code, out, True), ran


def test_with_real_providers_a_model_must_be_named(otari: Otari, operations: FakeOperations) -> None:
    operations.state = replace(operations.state, providers=(ProviderInfo("openai", "openai"),))

    assert otari("chat", "--key", "k", "hi").code == 2


def test_nobody_at_the_public_address(otari: Otari, operations: FakeOperations) -> None:
    operations.state = replace(operations.state, listen="127.0.0.1:1")

    assert otari("chat", "--key", "k", "hi").code == 6
