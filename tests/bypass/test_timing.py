"""Q19 to Q26 and Q28: many at once, at the wrong moment, or in the wrong words."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.bypass.world import Answer, Bypass, Client, chat, cut, read, words
from tests.e2e.machine import nano

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("bypass")]

PARALLEL = 200
CENT_NANO = 10_000_000
SLOW = json.dumps(chat("up:slow:600", words(200), max_tokens=220)).encode()
STREAM = json.dumps(chat("up:drip:20:40", words(1_000), stream=True)).encode()


def all_at_once(ask: Callable[[], Answer], times: int) -> list[Answer]:
    """Ask on so many threads together."""
    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(lambda _: ask(), range(times)))


def while_streaming(client: Client, act: Callable[[], object]) -> Answer:
    """Begin a stream, do something to its key, then read the stream to its end."""
    connection = client.send(STREAM)
    try:
        wait_for_holds(client, 1)
        act()
        return read(connection)
    finally:
        cut(connection)


def wait_for_holds(client: Client, count: int) -> None:
    """Wait until that many requests of anybody are in flight."""
    deadline = time.monotonic() + 10
    while client.machine.ask("GET", "/status")["open_holds"] < count:
        assert time.monotonic() < deadline, "the request was never admitted"


def on_the_last_cent(client: Client, ask: Callable[[], Answer]) -> None:
    """Many parallel requests on one cent: some are served, none beyond it."""
    answers = all_at_once(ask, PARALLEL)

    admitted = [answer for answer in answers if answer.status == 200]
    refused = {answer.code for answer in answers if answer.status != 200}
    assert (len(admitted) > 0, refused) == (True, {"budget_exceeded"})
    assert sum(map(nano, client.fair(len(admitted)))) <= CENT_NANO


def test_q19_two_hundred_parallel_on_the_last_cent(bypass: Bypass) -> None:
    client = Client(bypass, "q19", budget="0.01")

    on_the_last_cent(client, lambda: client.post(SLOW))


def test_q20_one_idempotency_key_for_two_bodies_and_forged_ids(client: Client) -> None:
    forged = "req_" + "0" * 32
    headers = {"Idempotency-Key": "same", "X-Request-ID": forged, "Otari-Request-Id": forged}
    bodies = [json.dumps(chat("up:echo", words(count))).encode() for count in (300, 3_000)]
    answers = [client.post(body, headers) for body in (*bodies, bodies[0])]

    asked = [answer for answer in answers if answer.status == 200]
    rows = client.fair(len(client.rows()))
    assert len({row["request_id"] for row in rows}) == len(rows) <= len(asked)
    assert forged not in {answer.request_id for answer in answers}
    assert len(asked) > 0


def test_q21_a_stream_across_the_end_of_a_period(bypass: Bypass) -> None:
    client = Client(bypass, "q21", budget="0.02/1s")
    answers = [while_streaming(client, lambda: None) for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 200]
    assert {row["reason"] for row in client.fair(2)} == {"usage"}
    bypass.verified()


def test_q22_a_key_deleted_mid_stream(client: Client) -> None:
    answer = while_streaming(client, lambda: client.machine.ask("DELETE", f"/v1/keys/{client.key_id}"))

    assert answer.status == 200
    assert client.fair(1)[0]["reason"] == "usage"
    assert client.ask("up:echo").status == 401


def test_q23_a_limit_lowered_mid_stream(bypass: Bypass) -> None:
    budget = bypass.ask("POST", "/v1/budgets", {"name": "q23", "max_budget": "1"})["budget_id"]
    client = Client(bypass, "q23", budget=budget)
    lowered = {"max_budget": "0.000001"}
    answer = while_streaming(client, lambda: bypass.ask("PATCH", f"/v1/budgets/{budget}", lowered))

    assert answer.status == 200
    client.fair(1)
    assert client.ask("up:echo").code == "budget_exceeded"
    assert len(client.rows()) == 1


def test_q24_two_keys_of_one_user_under_nested_ceilings(bypass: Bypass) -> None:
    bypass.ask("POST", "/v1/users", {"user_id": "q24", "budget": "0.01"})
    keys = [Client(bypass, f"q24 {at}", user_id="q24", budget="0.007") for at in range(2)]
    answers = all_at_once(lambda: keys[time.monotonic_ns() // 1000 % 2].post(SLOW), 40)

    spent = [key.spent() for key in keys]
    assert {answer.status for answer in answers} == {200, 403}
    assert max(spent) <= 7_000_000
    assert sum(spent) <= CENT_NANO
    for key in keys:
        key.fair(len(key.rows()))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", ["s400_billed", "s500_billed", "s200_error_billed"])
def test_q25_an_error_that_was_billed(client: Client, fault: str, stream: bool) -> None:
    client.ask(f"up:fault:{fault}", words(1_000), stream=stream)

    assert client.fair(1)[0]["reason"] == "usage"


def test_q26_a_burst_just_after_a_restart(bypass: Bypass) -> None:
    client = Client(bypass, "q26", budget="0.01")
    first = client.post(SLOW)
    before = client.spent()
    assert bypass.daemon is not None
    bypass.daemon.kill()
    bypass.start()

    answers = all_at_once(lambda: client.post(SLOW), PARALLEL)

    admitted = [answer for answer in (first, *answers) if answer.status == 200]
    assert {answer.status for answer in answers} == {200, 403}
    assert before > 0
    assert sum(map(nano, client.fair(len(admitted)))) <= CENT_NANO


@pytest.mark.parametrize(
    "text",
    ["\u6f22\u5b57\u4eee\u540d" * 500, "\U0001f600\U0001f680" * 500, "\x01\x02\x7f" * 700, "!?;#" * 1_000],
    ids=["cjk", "emoji", "control", "punctuation"],
)
def test_q28_text_that_beats_four_bytes_to_a_token(client: Client, text: str) -> None:
    for stream in (False, True):
        for escaped in (False, True):
            body = json.dumps(chat("up:lorem:5", text, stream=stream, max_tokens=5), ensure_ascii=escaped)
            assert client.post(body.encode()).status == 200

    assert {row["reason"] for row in client.fair(4)} == {"usage"}
