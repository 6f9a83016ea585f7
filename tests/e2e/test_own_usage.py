"""What a key sees of itself over TCP: its own requests, tags and sums, and nothing of its neighbor."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from tests.e2e.machine import Machine

pytestmark = pytest.mark.e2e


def _ask(machine: Machine, method: str, path: str, key: str, body: Any = None, **headers: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", machine.port, timeout=20)
    raw = None if body is None else json.dumps(body)
    connection.request(method, path, raw, {"Authorization": f"Bearer {key}", **headers})
    answer = connection.getresponse()
    content = json.loads(answer.read())
    connection.close()
    return answer.status, content, answer.getheader("Otari-Next-Cursor")


def _chat(machine: Machine, key: str, tags: str | None = None, **fields: Any) -> int:
    body = {"model": "up:echo", "messages": [{"role": "user", "content": "hi"}], **fields}
    headers = {} if tags is None else {"Otari-Tags": tags}
    status: int = _ask(machine, "POST", "/v1/chat/completions", key, body, **headers)[0]
    return status


def test_a_key_sees_its_own_requests_page_by_page_and_nobody_elses(machine: Machine) -> None:
    ana, bob = (machine.new_key(key_name=name, user_id=name, budget="5/day") for name in ("ana", "bob"))
    assert [_chat(machine, ana, f"n={number},team=a") for number in range(3)] == [200] * 3
    assert _chat(machine, bob, metadata={"team": "b"}, user="ana") == 200
    machine.quiet()

    seen, cursor = [], ""
    for _ in range(4):
        _, page, cursor = _ask(machine, "GET", f"/v1/usage?limit=1{cursor and '&cursor='}{cursor or ''}", ana)
        seen += page
        if not cursor:
            break
    [bobs] = _ask(machine, "GET", "/v1/usage", bob)[1]
    [tagged] = _ask(machine, "GET", "/v1/usage?where=tag:n=1", ana)[1]
    assert [row["tags"]["n"] for row in seen] == ["2", "1", "0"]
    assert {(row["user_id"], row["model"], row["provider"]) for row in seen} == {("ana", "up:echo", "up")}
    assert (bobs["user_id"], bobs["tags"]) == ("bob", {"team": "b", "user": "ana"})
    assert tagged == seen[1]
    for hidden in ("where=key:bob", "where=user:bob"):
        assert _ask(machine, "GET", f"/v1/usage?{hidden}", ana)[1] == []


def test_sums_and_standing_of_a_key_are_its_own(machine: Machine) -> None:
    key, other = (machine.new_key(key_name=name, budget="5/day") for name in ("sums", "rest"))
    assert [_chat(machine, each) for each in (key, key, other)] == [200] * 3
    machine.quiet()

    me = _ask(machine, "GET", "/v1/me", key)[1]
    summary = _ask(machine, "GET", "/v1/usage/summary?bucket=hour&start_date=1d", key)[1]

    rows = _ask(machine, "GET", "/v1/usage", key)[1]
    assert summary["totals"]["request_count"] == sum(each["requests"] for each in summary["series"]) == 2
    assert summary["by_model"][0]["cost"] == summary["totals"]["cost"] == sum(row["cost"] for row in rows)
    [budget] = me["budgets"]
    assert (budget["limit_usd"], budget["spent_usd"]) == ("5.00", summary["totals"]["cost_usd"])
    assert (me["key"]["name"], "up:echo" in me["models"]) == ("sums", True)


@pytest.mark.parametrize(
    ("path", "status", "param"),
    [
        ("/v1/usage?limit=1001", 422, "limit"),
        ("/v1/usage?bucket=day", 422, "bucket"),
        ("/v1/usage?cursor=x", 422, "cursor"),
        ("/v1/usage?where=mood:good", 422, "where"),
        ("/v1/usage?limit=1&limit=2", 422, "limit"),
        ("/v1/usage/summary?bucket=week", 422, "bucket"),
        ("/v1/usage/summary?bucket=day&start_date=2020-01-01", 422, "since"),
    ],
)
def test_a_question_that_cannot_be_meant_names_its_parameter(
    machine: Machine, path: str, status: int, param: str
) -> None:
    found = _ask(machine, "GET", path, machine.new_key())

    assert (found[0], found[1]["error"]["param"]) == (status, param)


@pytest.mark.parametrize("path", ["/v1/me", "/v1/usage", "/v1/usage/summary"])
def test_nobody_sees_usage_without_a_key(machine: Machine, path: str) -> None:
    assert _ask(machine, "GET", path, "gw-nobody")[0] == 401


def test_every_dialect_keeps_the_tags_of_its_body(machine: Machine) -> None:
    key = machine.new_key()
    turn = [{"role": "user", "content": "hi"}]
    for path, body in (
        ("/v1/messages", {"messages": turn, "max_tokens": 9, "metadata": {"user_id": "u_1"}}),
        ("/v1/responses", {"input": "hi", "store": False, "metadata": {"user_id": "u_1"}}),
    ):
        assert _ask(machine, "POST", path, key, {"model": "up:echo", **body})[0] == 200, path
    machine.quiet()

    rows = _ask(machine, "GET", "/v1/usage?where=tag:user_id=u_1", key)[1]
    assert sorted(row["endpoint"] for row in rows) == ["/v1/messages", "/v1/responses"]


def test_tags_that_are_none_are_refused(machine: Machine) -> None:
    key = machine.new_key()

    assert _chat(machine, key, "team") == 400
    assert _chat(machine, key, ",".join(f"n{number}=1" for number in range(17))) == 400
