"""No JSON, path or query that anybody can send makes management fail: it is taken or refused by name."""

from __future__ import annotations

import dataclasses
import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otari_daemon.protocol.messages import (
    BudgetCreate,
    BudgetUpdate,
    KeyCreate,
    KeyUpdate,
    PriceSet,
    UserCreate,
    UserUpdate,
)
from tests.e2e.machine import Machine
from tests.e2e.managing import client, told

pytestmark = pytest.mark.e2e

BOUNDS = settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
WRITES: dict[tuple[str, str], type] = {
    ("POST", "/keys"): KeyCreate,
    ("PATCH", "/keys/fuzzed"): KeyUpdate,
    ("POST", "/users"): UserCreate,
    ("PATCH", "/users/fuzzed"): UserUpdate,
    ("POST", "/budgets"): BudgetCreate,
    ("PATCH", "/budgets/fuzzed"): BudgetUpdate,
    ("POST", "/pricing"): PriceSet,
}
LISTS = ("/keys", "/users", "/budgets", "/pricing", "/usage", "/usage/summary", "/users/fuzzed/usage")
PARAMS = ("skip", "limit", "start_date", "end_date", "user_id", "key", "model", "cursor", "by", "request_id")
EXPECTED = {200, 204, 400, 404, 409, 422}

TELLING: st.SearchStrategy[Any] = st.sampled_from(
    [
        *("", " ", "\0", "5/day", "1e400", "-1", "0.0000000001", "NaN", "9" * 400, "up:*", "up:echo", "fast"),
        *(
            "2027-01-31T00:00:00Z",
            "9999-12-31T23:59:59.999999+14:00",
            "0001-01-01T00:00:00-23:59",
            "20270131",
        ),
        *("month", "calendar_week", "Europe/Berlin", "../../etc/passwd", "fallback:up:echo", "throttle", "d"),
        *(2**63 - 1, 2**63, 10**30, -(2**63), 0, -0.0, 1e308, 5e-324, 1.1, True, [], {}, [None], {"a": [1]}),
        *("fuzzed", "default", "\ud800", "\u202e", "é" * 200, "x" * 201, None),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | TELLING,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def bodies(of: type) -> st.SearchStrategy[Any]:
    """Bodies that name real fields, with values of any kind; and some that are no object at all."""
    names = [field.name for field in dataclasses.fields(of)]
    plausible = st.dictionaries(st.sampled_from(names), TELLING | VALUES, max_size=len(names))
    return plausible | st.dictionaries(st.sampled_from([*names, "id", "spend"]), VALUES) | VALUES


@pytest.fixture(scope="module")
def fuzzed(managed: Machine) -> Machine:
    """A daemon that has something to change."""
    with client(managed) as master:
        told(master.post("/users", json={"user_id": "fuzzed"}), 200)
        told(master.post("/keys", json={"key_name": "fuzzed", "user_id": "fuzzed"}), 200)
        told(master.post("/budgets", json={"name": "fuzzed", "max_budget": 1}), 200)
    return managed


def check(answer: httpx.Response) -> None:
    """Taken, or refused in the OpenAI form."""
    assert answer.status_code in EXPECTED, (answer.request.url, answer.request.content, answer.text)
    if answer.status_code >= 400:
        error = answer.json()["error"]
        assert error["message"]
        assert (answer.status_code != 422) or error["param"] or "object" in error["message"], error


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_no_body_makes_a_write_fail(fuzzed: Machine, method: str, path: str) -> None:
    with client(fuzzed) as master:

        @BOUNDS
        @given(bodies(WRITES[method, path]))
        def sent(body: Any) -> None:
            check(master.request(method, path, content=json.dumps(body).encode()))

        sent()
        assert told(master.get("/keys"), 200), "and it still serves"


def test_no_bytes_make_a_write_fail(fuzzed: Machine) -> None:
    with client(fuzzed) as master:

        @BOUNDS
        @given(
            st.binary(max_size=40)
            | st.sampled_from([b"[" * 100_000, b'{"a":' * 9_000, b'"\\ud800"', b"\xff"])
        )
        def sent(body: bytes) -> None:
            check(master.post("/keys", content=body))

        sent()


def test_no_name_in_a_path_makes_a_question_fail(fuzzed: Machine) -> None:
    """But for `.` and `..`, which the client resolves before it asks."""
    texts = st.text(min_size=1, max_size=30).filter(lambda name: name not in (".", ".."))

    with client(fuzzed) as master:

        @BOUNDS
        @given(
            st.sampled_from(["keys", "users", "budgets", "pricing"]),
            texts | st.sampled_from(["\0", "x" * 2000, "a/b/history", "history"]),
            st.sampled_from(["GET", "PATCH", "DELETE"]),
        )
        def asked(kind: str, name: str, method: str) -> None:
            url = f"/{kind}/{quote(name.encode('utf-8', 'surrogatepass'), safe='')}"
            answer = master.request(method, url, content=b"{}" if method == "PATCH" else None)
            if (kind, method) != ("pricing", "PATCH"):
                check(answer)

        asked()


def test_no_query_makes_a_list_fail(fuzzed: Machine) -> None:
    texts = st.text(max_size=12) | st.sampled_from(["1", "-1", "9" * 30, "\0", "2027", "7d", "user", "%"])

    with client(fuzzed) as master:

        @BOUNDS
        @given(st.sampled_from(LISTS), st.dictionaries(st.sampled_from(PARAMS), texts, max_size=3))
        def asked(path: str, params: dict[str, str]) -> None:
            query = {name: value.encode("utf-8", "replace") for name, value in params.items()}
            check(master.get(path, params=query))

        asked()
