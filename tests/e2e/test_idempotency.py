"""`Idempotency-Key` as clients use it: the official SDK, fifty at once, and a daemon that dies in between."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import Counter
from typing import Any

import httpx
import openai
import pytest

from tests.e2e.machine import Machine, nano

pytestmark = pytest.mark.e2e

HELLO = [{"role": "user", "content": "hello there"}]
WITHIN_S = 20.0


@pytest.fixture(scope="module")
def key(machine: Machine) -> str:
    return machine.new_key(key_name="once")


@pytest.fixture
def client(machine: Machine, key: str):
    with openai.OpenAI(base_url=machine.url, api_key=key, max_retries=0) as made:
        yield made


def named(name: str) -> dict[str, str]:
    return {"Idempotency-Key": name}


def test_the_same_request_is_answered_again_and_costs_nothing(machine, client):
    ask = client.chat.completions.with_raw_response.create
    first = ask(model="up:echo", messages=HELLO, extra_headers=named("again"))
    machine.quiet()
    before, billed = len(machine.usage()), len(machine.bill())

    second = ask(model="up:echo", messages=HELLO, extra_headers=named("again"))

    assert (first.headers.get("idempotent-replayed"), second.headers["idempotent-replayed"]) == (None, "true")
    assert second.content == first.content
    assert second.headers["content-type"] == first.headers["content-type"]
    assert second.headers["x-otari-provider"] == "up"
    assert (len(machine.usage()), len(machine.bill())) == (before, billed)


def test_the_spelling_of_the_body_does_not_count_but_its_content_does(machine, key):
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json", **named("spelled")}
    bodies = (
        b'{"model":"up:echo","messages":[{"role":"user","content":"hi"}]}',
        b'{ "messages": [{"content": "hi", "role": "user"}], "model": "up:echo" }',
        b'{"model":"up:echo","messages":[{"role":"user","content":"ho"}]}',
    )

    with httpx.Client(base_url=machine.url, headers=headers, verify=False) as http:
        same, spelled, other = (http.post("/chat/completions", content=body) for body in bodies)

    assert (same.status_code, spelled.status_code, other.status_code) == (200, 200, 422)
    assert spelled.content == same.content
    assert other.json()["error"]["code"] == "idempotency_key_reused"
    assert other.headers["x-should-retry"] == "false"


def test_a_stream_is_not_repeated_but_its_usage_is_told(machine, client):
    ask = client.chat.completions.create
    with ask(model="up:lorem:9", messages=HELLO, stream=True, extra_headers=named("stream")) as stream:
        list(stream)
    machine.quiet()
    row = machine.usage()[0]

    with pytest.raises(openai.ConflictError) as caught:
        ask(model="up:lorem:9", messages=HELLO, stream=True, extra_headers=named("stream"))

    told = caught.value.body
    assert told["code"] == "already_completed"
    assert told["usage"]["completion_tokens"] == 9
    assert told["usage"]["cost_usd"] == row["cost_usd"]
    assert told["request"] == {"id": row["request_id"], "status": 200, "reason": "usage"}


def test_a_request_the_provider_refused_may_be_made_again(machine, client):
    ask = client.chat.completions.create
    with pytest.raises(openai.RateLimitError):
        ask(model="up:fault:s429", messages=HELLO, extra_headers=named("refused"))

    answer = ask(model="up:echo", messages=HELLO, extra_headers=named("refused"))

    assert answer.choices[0].message.content == "hello there"


@pytest.mark.parametrize("name", ["", "with space", "x" * 256, "caf\u00e9"])
def test_a_name_that_is_none_is_refused(machine, key, name):
    headers = {"authorization": f"Bearer {key}", "idempotency-key": name.encode("latin-1")}

    answer = post(machine, {"model": "up:echo", "messages": HELLO}, headers)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")
    assert "Idempotency-Key" in answer.json()["error"]["message"]


async def test_of_fifty_at_once_one_is_made_and_the_sdk_gets_its_answer_by_asking_again(machine, key):
    before = len(machine.usage()), len(machine.bill())
    body = {"model": "up:slow:1500", "messages": HELLO}
    headers = {"authorization": f"Bearer {key}", **named("fifty")}
    asking = httpx.AsyncClient(base_url=machine.url, headers=headers, timeout=WITHIN_S, verify=False)
    async with asking as http:
        answers = await asyncio.gather(*(http.post("/chat/completions", json=body) for _ in range(50)))
    machine.quiet()
    after = len(machine.usage()), len(machine.bill())
    async with openai.AsyncOpenAI(base_url=machine.url, api_key=key) as patient:
        again = await patient.chat.completions.create(**body, extra_headers=named("fifty"))

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 49}
    assert (after[0] - before[0], after[1] - before[1]) == (1, 1)
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert refused.json()["error"]["code"] == "idempotency_key_in_use"
    assert refused.headers["retry-after"] == "1"
    assert [again.id] == [answer.json()["id"] for answer in answers if answer.status_code == 200]


@pytest.mark.parametrize("stream", [False, True])
def test_a_request_the_daemon_died_under_is_not_made_again(fresh_machine: Machine, stream: bool):
    machine = fresh_machine
    bearer = {"authorization": f"Bearer {machine.new_key(key_name='died')}"}
    quick = {"model": "up:echo", "messages": HELLO}
    slow = {**quick, "model": "up:drip:2000:10" if stream else "up:slow:60000", "stream": stream}
    seen = post(machine, quick, {**bearer, **named("answered")})
    dying = threading.Thread(target=left_hanging, args=(machine, slow, {**bearer, **named("died")}))
    dying.start()
    held_on_disk(machine)
    machine.daemon.kill()
    dying.join(WITHIN_S)
    machine.start()

    again = post(machine, slow, {**bearer, **named("died")})
    other = post(machine, {**slow, "n": 2}, {**bearer, **named("died")})
    replayed = post(machine, quick, {**bearer, **named("answered")})

    told = again.json()["error"]
    assert (again.status_code, told["code"], other.status_code) == (409, "already_completed", 422)
    (row,) = [row for row in machine.usage() if row["request_id"] == told["request"]["id"]]
    assert told["request"]["reason"] == row["reason"] == "crash"
    assert nano({"cost_usd": told["usage"]["cost_usd"]}) == nano(row) > 0
    assert (replayed.headers["idempotent-replayed"], replayed.content) == ("true", seen.content)
    assert len(machine.usage()) == 2
    machine.verified()


def post(machine: Machine, body: dict[str, Any], headers: dict[str, Any]) -> httpx.Response:
    """One chat completion."""
    url = f"{machine.url}/chat/completions"
    return httpx.post(url, json=body, headers=headers, timeout=WITHIN_S, verify=False)


def left_hanging(machine: Machine, body: dict[str, Any], headers: dict[str, str]) -> None:
    """Ask a daemon that will not live to answer."""
    with contextlib.suppress(httpx.HTTPError):
        post(machine, body, headers)


def held_on_disk(machine: Machine) -> None:
    """Wait until an open hold is on disk."""
    deadline = time.monotonic() + WITHIN_S
    while not [hold for hold in machine.ask("GET", "/holds") if hold["model"]]:
        assert time.monotonic() < deadline, "the request was never admitted"
