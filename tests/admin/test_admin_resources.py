"""Keys, users and budgets over the admin socket."""

from __future__ import annotations

import os

import pytest

from otari_daemon.protocol.messages import UNSET, BudgetAssign, KeyUpdate
from tests.admin.fake_operations import LEDGER_DOWN, SECRET, FakeOperations
from tests.admin.raw_admin import Admin


def test_a_created_key_has_its_secret_and_the_predecessors_fields(admin: Admin) -> None:
    reply = admin.ask("POST", "/v1/keys", {"key_name": "ci", "user_id": "ana", "budget": "5/day"})

    assert reply.status == 200
    assert reply.json["key"] == SECRET
    predecessor = {"id", "key", "key_name", "user_id", "created_at", "expires_at", "is_active", "metadata"}
    assert predecessor <= reply.json.keys()


def test_every_answer_says_its_protocol(admin: Admin) -> None:
    replies = [admin.ask("GET", "/status"), admin.ask("GET", "/nowhere"), admin.ask("GET", "/v1/keys/none")]

    assert [reply.status for reply in replies] == [200, 404, 404]
    assert {reply.headers["Otari-Protocol"] for reply in replies} == {"1"}


def test_a_list_is_a_bare_array_in_pages(admin: Admin) -> None:
    for name in "abc":
        admin.ask("POST", "/v1/users", {"user_id": name})

    assert [user["user_id"] for user in admin.ask("GET", "/v1/users").json] == ["a", "b", "c"]
    assert [user["user_id"] for user in admin.ask("GET", "/v1/users?skip=1&limit=1").json] == ["b"]


def test_an_update_knows_null_from_nothing(admin: Admin, operations: FakeOperations) -> None:
    admin.ask("POST", "/v1/keys", {"key_name": "ci", "expires_at": "2027-01-01T00:00:00.000Z"})

    reply = admin.ask("PATCH", "/v1/keys/ci", {"expires_at": None})

    assert reply.json["expires_at"] is None
    assert operations.asked[-1] == KeyUpdate(expires_at=None)
    assert KeyUpdate(expires_at=None) != KeyUpdate(expires_at=UNSET)


@pytest.mark.parametrize("id", ["team/ana", "a%2Fb", "ünï code", "..", "a?b#c", "100%"])
def test_any_name_can_be_asked_for(admin: Admin, id: str) -> None:
    from otari_daemon.protocol.paths import USER, at

    admin.ask("POST", "/v1/users", {"user_id": id})

    assert admin.ask("GET", at(USER, id)).json["user_id"] == id


def test_a_write_carries_who_and_why(admin: Admin, operations: FakeOperations) -> None:
    admin.ask("POST", "/v1/users?reason=new%20colleague", {"user_id": "ana"})

    [(what, actor, dry_run)] = operations.writes
    assert (what, actor.pid, actor.uid, actor.reason) == (
        "create_user",
        os.getpid(),
        os.getuid(),
        "new colleague",
    )
    assert not dry_run


def test_a_dry_run_reaches_the_operations_and_moves_nothing(admin: Admin, operations: FakeOperations) -> None:
    reply = admin.ask("POST", "/v1/keys?dry_run=true", {"key_name": "ci"})

    assert reply.json["key"] is None
    assert [dry_run for _, _, dry_run in operations.writes] == [True]
    assert admin.ask("GET", "/v1/keys").json == []


def test_a_delete_answers_204_and_nothing(admin: Admin) -> None:
    admin.ask("POST", "/v1/users", {"user_id": "ana"})

    reply = admin.ask("DELETE", "/v1/users/ana")

    assert (reply.status, reply.json) == (204, None)
    assert admin.ask("GET", "/v1/users/ana").status == 404


def test_actions_on_a_key(admin: Admin) -> None:
    admin.ask("POST", "/v1/keys", {"key_name": "ci"})

    assert admin.ask("POST", "/v1/keys/ci/rotate").json["key"] == SECRET
    assert admin.ask("POST", "/v1/keys/ci/revoke").json["status"] == "revoked"


def test_holders_come_and_go(admin: Admin, operations: FakeOperations) -> None:
    admin.ask("POST", "/v1/budgets", {"name": "team", "max_budget": "5", "per": "day"})
    given = admin.ask("POST", "/v1/budgets/team/assignments", {"holder_kind": "key", "holder_id": "ci"})
    taken = admin.ask("DELETE", "/v1/budgets/team/assignments?holder_kind=global")

    assert [use["holder"] for use in given.json["holders"]] == ["key:ci"]
    assert taken.json["holders"] == []
    assert operations.asked[-2:] == [BudgetAssign("key", "ci"), BudgetAssign("global")]
    assert admin.ask("POST", "/v1/budgets/team/acknowledge").status == 200


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "code", "field"),
    [
        ("POST", "/v1/keys", {"name": "ci"}, 422, "invalid_request", "name"),
        ("POST", "/v1/keys", {"key_name": 1}, 422, "invalid_request", "key_name"),
        ("POST", "/v1/keys", {"allowed_models": ["a", 1]}, 422, "invalid_request", "allowed_models[1]"),
        ("POST", "/v1/keys", {"budget": "nothing"}, 422, "invalid_request", "budget"),
        ("POST", "/v1/keys", [], 422, "invalid_request", None),
        ("POST", "/v1/users", {}, 422, "invalid_request", "user_id"),
        ("POST", "/v1/budgets", {"mode": "watch"}, 422, "invalid_request", "mode"),
        (
            "POST",
            "/v1/budgets",
            {"budget_duration_sec": 1 << 63},
            422,
            "invalid_request",
            "budget_duration_sec",
        ),
        ("POST", "/v1/budgets", {"max_budget": True}, 422, "invalid_request", "max_budget"),
        ("POST", "/v1/keys?dryrun=true", {}, 422, "invalid_request", "dryrun"),
        ("POST", "/v1/keys?dry_run=yes", {}, 422, "invalid_request", "dry_run"),
        ("POST", "/v1/keys?dry_run=true&dry_run=false", {}, 422, "invalid_request", "dry_run"),
        ("POST", f"/v1/keys?reason={'x' * 501}", {}, 422, "invalid_request", "reason"),
        ("GET", "/v1/keys?limit=0", None, 422, "invalid_request", "limit"),
        ("GET", "/v1/keys?limit=1001", None, 422, "invalid_request", "limit"),
        ("GET", "/v1/keys?skip=-1", None, 422, "invalid_request", "skip"),
        ("GET", "/v1/keys?limit=%C2%B2", None, 422, "invalid_request", "limit"),
        ("GET", "/v1/keys/none", None, 404, "not_found", None),
        ("GET", "/v1/nowhere", None, 404, "unknown_route", None),
        ("PUT", "/v1/keys", {}, 400, "invalid_request", None),
        ("DELETE", "/v1/keys", None, 405, "method_not_allowed", None),
        ("DELETE", "/v1/budgets/b/assignments", None, 422, "invalid_request", "holder_kind"),
    ],
)
def test_what_is_wrong_is_named(
    admin: Admin, method: str, target: str, body: object, status: int, code: str, field: str | None
) -> None:
    reply = admin.ask(method, target, body)

    assert (reply.status, reply.json["code"], reply.json["field"]) == (status, code, field)
    assert reply.json["message"][:1].islower()


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b'"\\ud800"', b"NaN", b"[" * 100_000, b"{}{}"])
def test_a_body_that_is_not_json_is_the_callers_mistake(admin: Admin, text: bytes) -> None:
    reply = admin.ask("POST", "/v1/keys", raw=text)

    assert reply.status in (400, 422)
    assert reply.json["code"] == "invalid_request"


def test_a_body_has_a_limit(admin: Admin) -> None:
    reply = admin.ask("POST", "/v1/keys", {"key_name": "x" * (1 << 20)})

    assert (reply.status, reply.json["code"]) == (413, "body_too_large")


def test_a_conflict_is_409(admin: Admin) -> None:
    admin.ask("POST", "/v1/keys", {"key_name": "ci"})

    assert admin.ask("POST", "/v1/keys", {"key_name": "ci"}).status == 409


def test_a_ledger_that_cannot_be_written_says_when_to_come_back(
    admin: Admin, operations: FakeOperations
) -> None:
    operations.broken = LEDGER_DOWN

    reply = admin.ask("POST", "/v1/users", {"user_id": "ana"})

    assert (reply.status, reply.json["code"], reply.headers["Retry-After"]) == (
        503,
        "ledger_unavailable",
        "1",
    )


def test_a_defect_tells_nothing_of_its_cause(admin: Admin, operations: FakeOperations) -> None:
    operations.broken = RuntimeError("secret of the house")

    reply = admin.ask("GET", "/status")

    assert (reply.status, reply.json["code"]) == (500, "internal_error")
    assert "house" not in str(reply.json)
