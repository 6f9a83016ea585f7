"""Every row of the settlement table, and most ways a provider can fail, streamed and not.

Each case asks once, and then compares the client's answer, the settled row and the provider's own bill.
"""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e.explained import explained
from tests.e2e.machine import PRICING, Machine, nano

pytestmark = pytest.mark.e2e

SETTLED_S = 1.0
BILLED_S = 2.0
PROMPT = "hello there, how many tokens is this sentence?"
PROMPT_NANO, OUTPUT_NANO = 1_000, 2_000


class Charge(Enum):
    """How the charge relates to the provider's bill line."""

    EXACT = "what the provider billed"
    COVERS = "at least what the provider billed"
    PROMPT = "at least the prompt: what was generated never reached us"
    FREE = "nothing"


class Case(NamedTuple):
    """One request: whom to ask and how, and what must come of it. `pieces` are read before leaving."""

    model: str
    stream: bool
    status: int
    reason: str
    charge: Charge
    pieces: int | None = None


class Answer(NamedTuple):
    """What the client got."""

    status: int
    request_id: str
    body: bytes


def both(status: int, reason: str, charge: Charge, *faults: str) -> list[Case]:
    """Faults that end alike whether or not a stream was asked for."""
    return [
        Case(f"up:fault:{fault}", stream, status, reason, charge)
        for fault in faults
        for stream in (False, True)
    ]


def whole(status: int, reason: str, charge: Charge, *faults: str) -> list[Case]:
    return [Case(f"up:fault:{fault}", False, status, reason, charge) for fault in faults]


def streamed(reason: str, charge: Charge, *faults: str) -> list[Case]:
    return [Case(f"up:fault:{fault}", True, 200, reason, charge) for fault in faults]


LIES = ("usage_zero", "usage_negative", "usage_huge", "usage_string", "usage_mismatch", "cached_gt_prompt")
SOUND_EVENTS = (
    "nodone",
    "doubledone",
    "after_done",
    "crlfmix",
    "bom",
    "badjson",
    "split_utf8",
    "comment_flood",
)
BROKEN_HEADS = ("te_cl", "cl_dup", "header_100k", "headers_20k", "crlf_header", "status_line_junk")

CASES = [
    # usage: exact
    *both(200, "usage", Charge.EXACT, "stream_ok", "usage_first", "usage_each", "usage_twice"),
    *both(200, "usage", Charge.EXACT, "one_byte_writes", "echo_headers", "desync_second_response"),
    *both(200, "usage", Charge.EXACT, "json_badutf8"),
    *streamed("usage", Charge.EXACT, *(f"sse_{name}" for name in SOUND_EVENTS)),
    *(Case(f"up:{model}", stream, 200, "usage", Charge.EXACT)
      for model in ("echo", "lorem:200", "cached:5", "reasoning:7") for stream in (False, True)),
    # estimated: an answer without usage
    *both(200, "estimated", Charge.COVERS, "ok_nousage", "usage_null"),
    *both(502, "estimated", Charge.COVERS, "json_nan", "json_deep", "html_body", "s204", "cl_short"),
    *both(502, "estimated", Charge.PROMPT, "empty_body"),
    *whole(502, "estimated", Charge.COVERS, *(f"sse_{name}" for name in SOUND_EVENTS), "sse_error_event"),
    *streamed("estimated", Charge.COVERS, "sse_missing_blank"),
    *streamed("estimated", Charge.PROMPT, "sse_html"),
    # usage_invalid
    *both(200, "usage_invalid", Charge.COVERS, *LIES, "json_dup"),
    # upstream_cut
    *both(502, "upstream_cut", Charge.COVERS, "trailers"),
    *whole(502, "upstream_cut", Charge.COVERS, "rst_mid_body", "cl_long"),
    *whole(502, "upstream_cut", Charge.PROMPT, "fin_mid_chunk", "chunk_bad"),
    *streamed("upstream_cut", Charge.COVERS, "rst_mid_body:900", "sse_error_event"),
    *streamed("upstream_cut", Charge.PROMPT, "fin_mid_chunk", "sse_event_50mb:4000000"),
    Case("hasty:fault:stall_after:9", True, 200, "upstream_cut", Charge.COVERS),
    Case("hasty:fault:stall_after:9", False, 504, "upstream_cut", Charge.COVERS),
    # refused
    *both(400, "refused", Charge.FREE, "s400", "s422"),
    *both(404, "refused", Charge.FREE, "s404"),
    *both(429, "refused", Charge.FREE, "s429"),
    *both(502, "refused", Charge.FREE, "s401", "s403", "s409", "s413", "s500", "s502", "s503", "s529"),
    *both(502, "refused", Charge.FREE, "redirect_same", "redirect_metadata", "s200_error"),
    *both(504, "refused", Charge.FREE, "s408", "s504"),
    # unsent
    Case("gone:echo", False, 502, "unsent", Charge.FREE),
    Case("gone:echo", True, 502, "unsent", Charge.FREE),
    # ambiguous: asked, and no answer that could be read
    *both(502, "ambiguous", Charge.COVERS, "accept_close", "rst_after_request"),
    *both(502, "ambiguous", Charge.PROMPT, *BROKEN_HEADS, "one_xx_flood"),
    Case("hasty:fault:ttft_never", False, 504, "ambiguous", Charge.COVERS),
    Case("hasty:fault:ttft_never", True, 504, "ambiguous", Charge.COVERS),
    # client_cut: in every phase
    Case("up:fault:ttft_never", False, 0, "client_cut", Charge.COVERS, 0),
    Case("up:fault:ttft_never", True, 0, "client_cut", Charge.COVERS, 0),
    Case("up:slow:20000", False, 0, "client_cut", Charge.COVERS, 0),
    Case("up:drip:2000:10", True, 0, "client_cut", Charge.COVERS, 1),
    Case("up:drip:2000:10", True, 0, "client_cut", Charge.COVERS, 10),
    Case("up:fault:drip_forever:5", True, 0, "client_cut", Charge.COVERS, 30),
    Case("up:fault:ping_forever:5", True, 0, "client_cut", Charge.COVERS, 3),
]  # fmt: skip


class Places(Machine):
    """The mock under two more names: one that is given little time, and one that is not there."""

    def _configure(self, config: dict[str, Any]) -> Path:
        place = {"type": "openai", "api_base": self.mock_url}
        with socket.create_server(("127.0.0.1", 0)) as closed:
            nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        providers = {
            "up": place,
            "hasty": {**place, "timeouts": {"first_byte_s": 0.5, "idle_s": 0.5}},
            "gone": {**place, "api_base": nowhere},
        }
        pricing = {f"{name}:*": PRICING for name in providers}
        return super()._configure({**config, "providers": providers, "pricing": pricing})


@pytest.fixture(scope="module")
def places() -> Iterator[Places]:
    """One daemon for all rows; at the end its books must prove themselves."""
    made = Places()
    try:
        made.start()
        made.key = made.new_key(key_name="rows", budget="1000")
        yield made
        made.quiet(SETTLED_S)
        made.verified()
    finally:
        made.stop()


def ask(machine: Machine, case: Case) -> Answer:
    """Ask, and read the answer whole, or leave after some pieces of it."""
    body = {"model": case.model, "stream": case.stream, "messages": [{"role": "user", "content": PROMPT}]}
    connection = http.client.HTTPConnection("127.0.0.1", machine.port, timeout=20)
    headers = {"Authorization": f"Bearer {machine.key}", "Content-Type": "application/json"}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    try:
        if case.pieces == 0:
            upstream_began(machine)
            return Answer(0, "", b"")
        answer = connection.getresponse()
        request_id = answer.headers["X-Request-ID"]
        if case.pieces is None:
            return Answer(answer.status, request_id, answer.read())
        for _ in range(case.pieces):
            assert answer.readline()
        return Answer(answer.status, request_id, b"")
    finally:
        connection.close()


def upstream_began(machine: Machine) -> None:
    """Wait until a hold is open and the request is under way."""
    deadline = time.monotonic() + BILLED_S
    while not machine.ask("GET", "/status")["open_holds"]:
        assert time.monotonic() < deadline, "the request was never admitted"
    time.sleep(0.05)  # lets it reach the provider, who tells nobody; the phase, not the proof


def newest(machine: Machine) -> str:
    """The request id of the newest row."""
    rows = machine.ask("GET", "/v1/usage?limit=1")
    return rows[0]["request_id"] if rows else ""


def settled(machine: Machine, request_id: str, before: str) -> Any:
    """The row of a request, written in time; the one after `before` if it was left before it was named."""
    deadline = time.monotonic() + SETTLED_S
    machine.quiet(SETTLED_S)
    while True:
        rows = machine.ask("GET", "/v1/usage?limit=1")
        if rows and rows[0]["request_id"] != before:
            assert request_id in ("", rows[0]["request_id"])
            return rows[0]
        assert time.monotonic() < deadline, "no row was written"
        time.sleep(0.01)


def billed(machine: Machine, request_id: str) -> int:
    """What the provider wants for a request, once it has written that down."""
    from otari_daemon.mock.bill import charge_nano

    deadline = time.monotonic() + BILLED_S
    while True:
        lines = [line for line in machine.bill() if line.request_id == request_id]
        if lines:
            assert len(lines) == 1, "asked once"
            return charge_nano(lines[0])
        assert time.monotonic() < deadline, f"the provider knows nothing of {request_id}"
        time.sleep(0.02)


def name_of(case: Case) -> str:
    left = "" if case.pieces is None else f"-left after {case.pieces}"
    return f"{case.reason}-{case.model}{'-stream' if case.stream else ''}{left}"


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_the_row(places: Places, case: Case) -> None:
    before = newest(places)

    answer = ask(places, case)

    row = settled(places, answer.request_id, before)
    cost, held = nano(row), nano({"cost_usd": row["held_usd"]})
    assert (row["model"], row["stream"]) == (case.model, case.stream)
    assert row["reason"] == case.reason
    assert 0 <= cost <= held
    if case.pieces is None:
        assert answer.status == case.status
        assert row["status_code"] == case.status
        assert (b'"error"' in answer.body) is (case.status != 200 or case.reason == "upstream_cut")
    else:
        assert (row["status_code"], row["status"]) == (None, "error")
    judge(places, case, row["request_id"], cost)
    explained(places, row, cost)


def judge(machine: Machine, case: Case, request_id: str, cost: int) -> None:
    """Hold the charge against the provider's bill."""
    if case.charge is Charge.FREE:
        assert cost == 0
        assert case.reason == "unsent" or billed(machine, request_id) == 0
        return
    bill = billed(machine, request_id)
    if case.charge is Charge.EXACT:
        assert cost == bill > 0
    elif case.charge is Charge.COVERS:
        assert cost >= max(bill, PROMPT_NANO)
    else:
        assert cost >= len(PROMPT) // 4 * PROMPT_NANO


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("more", [{"n": 5}, {"max_tokens": 3}, {"max_completion_tokens": 3, "n": 2}], ids=str)
def test_choices_and_limits_cost_what_the_provider_billed(
    places: Places, more: dict[str, int], stream: bool
) -> None:
    before = newest(places)
    body = {
        "model": "up:lorem:40",
        "stream": stream,
        "messages": [{"role": "user", "content": PROMPT}],
        **more,
    }
    connection = http.client.HTTPConnection("127.0.0.1", places.port, timeout=20)
    connection.request(
        "POST", "/v1/chat/completions", json.dumps(body), {"Authorization": f"Bearer {places.key}"}
    )
    answer = connection.getresponse()
    answer.read()
    connection.close()

    row = settled(places, answer.headers["X-Request-ID"], before)
    assert row["reason"] == "usage"
    assert nano(row) == billed(places, row["request_id"]) <= nano({"cost_usd": row["held_usd"]})


def test_a_provider_that_talks_past_its_limit_blocks_the_budget_until_an_operator_has_looked(
    places: Places,
) -> None:
    """More pieces than the limit allows are the one count of ours that may pass the hold."""
    shared, before = places.key, newest(places)
    places.key = places.new_key(key_name="flooded", budget="1000")
    try:
        flooded = ask(places, Case("up:fault:firehose:2000000", True, 200, "upstream_cut", Charge.COVERS))
        row = settled(places, flooded.request_id, before)
        refused = ask(places, Case("up:echo", False, 403, "", Charge.FREE))
    finally:
        places.key = shared

    assert nano(row) > nano({"cost_usd": row["held_usd"]})
    assert refused.status == 403
    assert b"beyond its holds" in refused.body


def test_no_account_is_blocked_and_the_books_prove_themselves(places: Places) -> None:
    """An honest bill never exceeds its hold, and our own counts never claim that it did."""
    assert len(places.usage()) >= 1
    assert places.verified()["ok"]
    assert ask(places, Case("up:echo", False, 200, "usage", Charge.EXACT)).status == 200
