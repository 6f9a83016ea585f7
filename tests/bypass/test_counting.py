"""Q1 to Q15 and Q18: what providers count and clients ask for, against what is charged and held."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.bypass.long_context import THRESHOLD, LongContext
from tests.bypass.world import (
    INPUT_NANO,
    OUTPUT_NANO,
    Client,
    chat,
    cut,
    held_of,
    read,
    refused_unbilled,
    words,
)
from tests.e2e.machine import nano

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("bypass")]

PROMPT = words(8_000)
LIES = ("usage_zero", "usage_null", "usage_string", "usage_negative", "usage_huge", "usage_mismatch")


def encoded(model: str, **fields: Any) -> bytes:
    return json.dumps(chat(model, PROMPT, **fields)).encode()


def test_q01_stream_without_usage(client: Client) -> None:
    streamed = client.ask("up:fault:stream_nousage", words(2_000), stream=True)
    whole = client.ask("up:fault:ok_nousage", words(2_000))

    assert (streamed.status, whole.status) == (200, 200)
    assert {row["reason"] for row in client.fair(2)} == {"estimated"}


@pytest.mark.parametrize("tokens", [0, 1, 10, 39])
def test_q02_abort_after_k_tokens(client: Client, tokens: int) -> None:
    client.leave(encoded("up:drip:40:10", stream=True), b"data:", tokens + 1)

    assert client.fair(1)[0]["reason"] == "client_cut"


def test_q02_abort_before_the_first_byte(client: Client) -> None:
    connection = client.send(encoded("up:slow:20000"))
    client.machine.ask("GET", "/status")
    while not client.machine.ask("GET", "/status")["open_holds"]:  # bounded by the test's own timeout
        pass
    cut(connection)

    assert client.rows()[0]["reason"] in ("client_cut", "unsent")
    if client.rows()[0]["reason"] == "client_cut":
        client.fair(1)


def test_q03_abort_between_the_last_token_and_the_usage(client: Client) -> None:
    client.leave(encoded("up:fault:stall_after:65", stream=True), b'"finish_reason":"stop"', 1)

    assert client.fair(1)[0]["completion_tokens"] >= 64


def test_q04_many_choices(client: Client) -> None:
    assert client.ask("up:lorem:3", n=128, max_tokens=4).status == 200
    assert client.ask("up:lorem:3", best_of=128, max_tokens=10).status == 200

    best, many = client.fair(2)
    assert held_of(best) >= 128 * 10 * OUTPUT_NANO
    assert held_of(many) >= 128 * 4 * OUTPUT_NANO
    assert client.ask("up:lorem:3", n=129).status == 400


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize("value", ["-1", "0", "1e18", "1000000000000000000", '"100"', "true", "1.5", "[]"])
def test_q05_output_limits_that_are_none(client: Client, field: str, value: str) -> None:
    body = json.dumps(chat("up:lorem:60", "hello", **{field: 0})).replace(
        f'"{field}": 0', f'"{field}":{value}'
    )

    refused_unbilled(client, body.encode(), 400)


def test_q05_output_limits_that_disagree(client: Client) -> None:
    for older, newer in ((5, 50), (50, 5), (None, 5), (5, None)):
        assert client.ask("up:lorem:60", max_tokens=older, max_completion_tokens=newer).status == 200

    *_, second, first = client.fair(4)
    assert held_of(first) >= 50 * OUTPUT_NANO
    assert held_of(second) >= 50 * OUTPUT_NANO


def test_q06_no_output_limit(client: Client) -> None:
    for stream in (False, True):
        assert client.ask("up:lorem:6000", stream=stream).status == 200

    assert {row["completion_tokens"] for row in client.fair(2)} == {4096}


@pytest.mark.parametrize("model", ["reasoning:50", "fault:reasoning_beside"])
def test_q07_reasoning_tokens_outside_completion_tokens(client: Client, model: str) -> None:
    for stream in (False, True):
        assert client.ask(f"up:{model}", words(200), stream=stream).status == 200

    rows = client.fair(2)
    assert all(row["reason"] == "usage" and row["reasoning_tokens"] > 0 for row in rows)


@pytest.mark.parametrize("fault", ["cached_gt_prompt", "cached_negative", "cached_beside"])
def test_q08_cached_tokens_that_cannot_be(client: Client, fault: str) -> None:
    for stream in (False, True):
        assert client.ask(f"up:fault:{fault}", words(2_000), stream=stream).status == 200

    assert {row["reason"] for row in client.fair(2)} == {"usage_invalid"}


def test_q08_cached_tokens_that_can(client: Client) -> None:
    assert client.ask("up:cached:1500", words(2_000)).status == 200

    assert client.fair(1)[0]["cache_read_tokens"] == 1_500


def test_q09_crossing_into_the_long_context_tier(client: Client, long_context: LongContext) -> None:
    for tokens in (THRESHOLD - 2_000, THRESHOLD + 2_000):
        text = "x" * tokens * 4
        answer = client.ask("long:gemini-1.5-flash", text, max_tokens=10)
        assert answer.status == 200

        row = client.rows()[0]
        assert nano(row) == long_context.bills[answer.request_id] <= held_of(row)


@pytest.mark.parametrize(
    ("tier", "status"),
    [("priority", 402), ("Priority", 402), ("fast", 402), (1, 400), ({"tier": "priority"}, 400)],
)
def test_q10_a_service_tier_without_a_price(client: Client, tier: Any, status: int) -> None:
    refused_unbilled(client, encoded("up:echo", service_tier=tier), status)


@pytest.mark.parametrize("tier", ["auto", "default", "flex", None])
def test_q10_a_service_tier_that_costs_no_more(client: Client, tier: str | None) -> None:
    assert client.ask("up:echo", service_tier=tier).status == 200

    client.fair(1)


def test_q11_pictures_sound_and_files_in_messages(client: Client) -> None:
    remote = {"url": "https://pictures.example/large.png"}
    inline = {"url": "data:image/png;base64," + "A" * 60_000}
    parts = [
        {"type": "image_url", "image_url": remote},
        {"type": "image_url", "image_url": inline},
        {"type": "input_audio", "input_audio": {"data": "A" * 60_000, "format": "wav"}},
        {"type": "file", "file": {"file_id": "file-1"}},
    ]
    for part in parts:
        body = {"model": "up:lorem:5", "messages": [{"role": "user", "content": [part]}], "max_tokens": 5}
        assert client.post(json.dumps(body).encode()).status == 200

    assert all(held_of(row) >= 32_768 * INPUT_NANO for row in client.fair(4))


def test_q12_tools_larger_than_any_prompt(client: Client) -> None:
    def tools(count: int, size: int) -> list[Any]:
        schema = {"type": "object", "description": "d" * size}
        return [
            {"type": "function", "function": {"name": f"f{at}", "parameters": schema}} for at in range(count)
        ]

    assert client.ask("up:echo", tools=tools(1_000, 100)).status == 400
    assert client.ask("up:echo", tools=tools(20, 100_000)).status == 200

    assert client.fair(1)[0]["prompt_tokens"] > 250_000


def test_q13_a_tool_loop_that_never_ends(client: Client) -> None:
    greedy = Client(client.machine, "q13 loop", budget="0.05")
    tool = {"type": "function", "function": {"name": "again", "parameters": {"type": "object"}}}
    rounds = 0
    while greedy.ask("up:echo", tools=[tool], tool_choice="required", n=50, max_tokens=10).status == 200:
        rounds += 1
        assert rounds < 500, "nothing ends the loop"

    assert rounds > 0
    assert sum(map(nano, greedy.fair(rounds))) <= 50_000_000
    assert greedy.ask("up:echo", tools=[tool], n=50, max_tokens=10).code == "budget_exceeded"


def test_q14_a_great_many_tiny_calls(client: Client) -> None:
    for _ in range(100):
        assert client.ask("tiny:lorem:1", "a", max_tokens=1).status == 200

    rows = client.rows()
    exact_pico = sum(line.prompt_tokens + line.completion_tokens for line in client.billed().values())
    assert exact_pico <= sum(map(nano, rows)) * 1000
    assert [nano(row) for row in rows] == [1] * 100, "rounded up once, by less than a nano-dollar each"


@pytest.mark.parametrize(
    "fields",
    [
        {"logprobs": True, "top_logprobs": 20},
        {"echo": True},
        {"prediction": {"type": "content", "content": words(500)}},
        {"messages": [{"role": "user", "content": "go on"}, {"role": "assistant", "content": words(500)}]},
    ],
    ids=["logprobs", "echo", "prediction", "prefill"],
)
def test_q15_more_than_text_for_the_price_of_text(client: Client, fields: dict[str, Any]) -> None:
    for stream in (False, True):
        body = {**chat("up:lorem:40", "hello"), **fields, "stream": stream}
        assert client.post(json.dumps(body).encode()).status == 200

    assert {row["reason"] for row in client.fair(2)} == {"usage"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("lie", LIES)
def test_q18_usage_that_cannot_be_true(client: Client, lie: str, stream: bool) -> None:
    connection = client.send(json.dumps(chat(f"up:fault:{lie}", words(2_000), stream=stream)).encode())
    assert read(connection).status == 200
    connection.close()

    assert client.fair(1)[0]["reason"] in ("usage_invalid", "estimated")
