"""Q16, Q17, Q27, Q29 and Q30: by which route and under which name a provider can be reached."""

from __future__ import annotations

import json
from typing import Any

import falcon.inspect
import pytest

from otari_daemon.api.app import Edge, create_app
from tests.bypass.routes import BILLABLE, ELSEWHERE, FREE, RESUMED, TOOLS, Billable
from tests.bypass.world import DEARER, INPUT_NANO, Client, chat, held_of, refused_unbilled, words

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("bypass")]

RESPONSES = "/v1/responses"
KNOWN = frozenset(route.path for route in BILLABLE)

LOOK_ALIKES = ("up:*", "up:echo\u200b", "u\u0440:echo", "up:../echo", "UP:echo", "up:%65cho")


class Anything:
    """Has every name and can be called: enough for routes that nobody asks."""

    def __getattr__(self, name: str) -> Anything:
        return self

    def __call__(self, *_: object) -> Anything:
        return self


def served() -> set[str]:
    """The path of every route of the public edge, as its router has it."""
    app = create_app(Edge(*[Anything()] * len(Edge._fields)))  # type: ignore[arg-type]
    return {route.path for route in falcon.inspect.inspect_routes(app._app)}  # type: ignore[arg-type]


def elsewhere(client: Client, path: str, body: dict[str, Any]) -> None:
    """A route that is not in the table is not there, and nobody is asked or billed."""
    if path in KNOWN:
        pytest.fail(f"{path} is billable: take it out of ELSEWHERE, Q16 tries it")
    before = len(client.machine.bill())
    for prefix in ("", "/api"):
        answer = client.post(json.dumps(body).encode(), path=prefix + path)
        assert answer.status in (404, 405), f"{path} is served without a proof in tests/bypass/routes.py"
    assert (client.rows(), len(client.machine.bill())) == ([], before)


def test_q16_every_billable_route() -> None:
    assert served() == KNOWN | FREE, "say in tests/bypass/routes.py how the new route is accounted for"


@pytest.mark.parametrize("route", BILLABLE, ids=lambda route: route.path)
def test_q16_a_billable_route_is_charged(client: Client, route: Billable) -> None:
    body, headers = route.sent()
    for prefix in ("", "/api"):
        assert client.post(body, headers, prefix + route.path).status == 200

    client.fair(2)


@pytest.mark.parametrize("path", sorted(set(ELSEWHERE) - {*TOOLS, *RESUMED}))
def test_q16_no_other_route_reaches_a_provider(client: Client, path: str) -> None:
    elsewhere(client, path, ELSEWHERE[path])


def test_q17_an_alias_for_a_dearer_model(client: Client) -> None:
    for model in ("cheap", "dear:echo", "dear/echo"):
        assert client.ask(model, words(500)).status == 200

    rows = client.fair(3, DEARER)
    assert {row["model"] for row in rows} == {"dear:echo"}
    assert all(held_of(row) >= 500 * INPUT_NANO * DEARER for row in rows)


@pytest.mark.parametrize("model", ["unpriced", "bare:echo", "bare:up:echo", "bare/echo"])
def test_q17_a_name_that_has_no_price(client: Client, model: str) -> None:
    refused_unbilled(client, json.dumps(chat(model, "hello")).encode(), 402, "unpriced_model")


@pytest.mark.parametrize(
    "model", ["up:*", "up:echo\u200b", "u\u0440:echo", "up:../echo", "UP:echo", "up:%65cho"]
)
def test_q17_a_name_that_only_looks_priced(client: Client, model: str) -> None:
    refused_unbilled(client, json.dumps(chat(model, "hello")).encode(), 400)


@pytest.mark.parametrize("path", TOOLS)
def test_q27_tool_calls_without_model_tokens(client: Client, path: str) -> None:
    elsewhere(client, path, ELSEWHERE[path])


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"up:echo","model":"tiny:echo","messages":[{"role":"user","content":"hi"}]}',
        b'{"model":"tiny:echo","mod\\u0065l":"up:echo","messages":[{"role":"user","content":"hi"}]}',
        b'{"model":"up:echo","messages":[],"messages":[{"role":"user","content":"hi"}]}',
        b'{"model":"up:lorem","n":1,"n":128,"messages":[{"role":"user","content":"hi"}]}',
        json.dumps(chat("up:echo", "hi")).encode("utf-16"),
        json.dumps(chat("up:echo", "hi")).encode("utf-16-le"),
        json.dumps(chat("up:echo", "hi")).encode("utf-32"),
        json.dumps(chat("up:echo", "hi")).encode("utf-8-sig"),
    ],
    ids=["model", "escaped", "messages", "n", "utf-16", "utf-16-le", "utf-32", "bom"],
)
def test_q29_bodies_that_two_readers_read_differently(client: Client, body: bytes) -> None:
    refused_unbilled(client, body, 400)


@pytest.mark.parametrize("path", RESUMED)
def test_q30_resumed_and_background_responses(client: Client, path: str) -> None:
    elsewhere(client, path, ELSEWHERE[path])


@pytest.mark.parametrize(
    "fields",
    [
        {"background": True},
        {"previous_response_id": "resp_1"},
        {"conversation": "conv_1"},
        {"prompt": {"id": "pmpt_1"}},
        {"context_management": [{"type": "compaction", "compact_threshold": 1000}]},
        {"input": [{"type": "item_reference", "id": "msg_1"}]},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_q30_responses_that_go_on_from_what_is_not_sent(client: Client, fields: dict[str, Any]) -> None:
    body = json.dumps({"model": "up:echo", "input": "hello", **fields}).encode()

    refused_unbilled(client, body, 400, "invalid_request", path=RESPONSES)


@pytest.mark.parametrize(
    ("tool", "status"),
    [
        ("web_search", 402),
        ("file_search", 402),
        ("code_interpreter", 402),
        ("image_generation", 400),
        ("unheard_of", 400),
    ],
)
def test_q27_tools_of_the_provider_without_a_price(client: Client, tool: str, status: int) -> None:
    body = json.dumps({"model": "up:echo", "input": "hello", "tools": [{"type": tool}]}).encode()

    refused_unbilled(client, body, status, path=RESPONSES)
