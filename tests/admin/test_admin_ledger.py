"""Usage, holds, the proof of the books and the daemon's own life, over the admin socket."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otari_daemon.protocol.messages import Finding, UsageQuery, VerifyReport
from tests.admin.fake_operations import ROW, FakeOperations
from tests.admin.raw_admin import Admin


def test_usage_is_a_bare_array_whose_next_page_is_in_a_header(
    admin: Admin, operations: FakeOperations
) -> None:
    operations.rows = [replace(ROW, request_id=f"req_{n}") for n in range(3)]

    first = admin.ask("GET", "/v1/usage?limit=2")
    last = admin.ask("GET", f"/v1/usage?limit=2&cursor={first.headers['Otari-Next-Cursor']}")

    assert [row["request_id"] for row in first.json + last.json] == ["req_0", "req_1", "req_2"]
    assert "Otari-Next-Cursor" not in last.headers


def test_usage_filters_have_our_names_and_the_predecessors(admin: Admin, operations: FakeOperations) -> None:
    admin.ask("GET", "/v1/usage?since=a&until=b&key=ci&user=ana&model=m&provider=p&request_id=r")
    admin.ask("GET", "/v1/usage?start_date=a&end_date=b&user_id=ana&skip=5&limit=7")

    assert operations.queries == [
        UsageQuery("a", "b", "ci", "ana", "m", "p", "r"),
        UsageQuery("a", "b", user="ana", skip=5, limit=7),
    ]


@pytest.mark.parametrize("parameter", ["modle=x", "limit=1.5", "limit=1001", "cursor=a&cursor=b"])
def test_a_filter_that_is_not_understood_is_not_passed_over(admin: Admin, parameter: str) -> None:
    assert admin.ask("GET", f"/v1/usage?{parameter}").status == 422


def test_usage_adds_up_by_what_is_asked(admin: Admin, operations: FakeOperations) -> None:
    reply = admin.ask("GET", "/v1/usage/summary?by=day&since=a")

    assert reply.json == [
        {
            "group": "ci",
            "requests": 3,
            "prompt_tokens": 63900,
            "completion_tokens": 1833,
            "cost_usd": "0.0558",
        }
    ]
    assert operations.asked == ["day"]
    assert admin.ask("GET", "/v1/usage/summary?by=mood").json["field"] == "by"


def test_holds_name_their_ceilings(admin: Admin) -> None:
    [hold] = admin.ask("GET", "/holds").json

    assert (hold["request_id"], hold["ceilings"]) == ("req_2", ["key:ci", "global"])


def test_books_that_are_off_are_an_answer_not_an_error(admin: Admin, operations: FakeOperations) -> None:
    operations.report = VerifyReport(False, 9, 2, 12, (Finding("hold 7", "balance", "held 1, rows say 2"),))

    reply = admin.ask("POST", "/ledger/verify")

    assert (reply.status, reply.json["ok"]) == (200, False)
    assert reply.json["findings"][0]["row"] == "hold 7"


def test_models_have_prices_or_none(admin: Admin) -> None:
    priced, unpriced = admin.ask("GET", "/v1/models").json

    assert (priced["input_usd_per_million"], unpriced["input_usd_per_million"]) == ("1.00", None)


def test_shutdown_is_accepted_once_it_has_begun(admin: Admin, operations: FakeOperations) -> None:
    replies = [admin.ask("POST", "/shutdown?dry_run=true"), admin.ask("POST", "/shutdown?reason=upgrade")]

    assert [reply.status for reply in replies] == [202, 202]
    assert [(what, actor.reason) for what, actor, _ in operations.writes] == [("shutdown", "upgrade")]
