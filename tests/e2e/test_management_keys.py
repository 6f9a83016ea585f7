"""Keys, users and budgets on the public port, and what they mean to the next request."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.e2e.machine import Machine
from tests.e2e.managing import MASTER_KEY, chat, refused, told

pytestmark = pytest.mark.e2e

CREATED = {"id", "key", "key_name", "user_id", "created_at", "expires_at", "is_active", "metadata"}
USER = {
    *("user_id", "alias", "spend", "budget_id", "budget_started_at", "next_budget_reset_at"),
    *("blocked", "created_at", "updated_at", "metadata"),
}


def test_a_key_is_made_used_rotated_revoked_and_forgotten(managed: Machine, master: httpx.Client) -> None:
    made = told(master.post("/keys", json={"key_name": "life", "metadata": {"team": "x"}}), 200)
    assert made.keys() >= CREATED
    assert made["key"].startswith(made["key_prefix"])
    assert chat(managed, made["key"]).status_code == 200

    rotated = told(master.post(f"/keys/{made['id']}/rotate"), 200)
    assert (rotated["id"], rotated["key_name"], rotated["metadata"]) == (made["id"], "life", {"team": "x"})
    assert [chat(managed, key).status_code for key in (made["key"], rotated["key"])] == [401, 200]

    assert told(master.patch(f"/keys/{made['id']}", json={"is_active": False}), 200)["is_active"] is False
    assert chat(managed, rotated["key"]).status_code == 401
    assert told(master.patch(f"/keys/{made['id']}", json={"is_active": True}), 200)["is_active"] is True
    assert chat(managed, rotated["key"]).status_code == 200

    shown = master.get(f"/keys/{made['id']}")
    assert told(shown, 200).keys() >= CREATED - {"key"} | {"last_used_at"}
    assert rotated["key"] not in shown.text
    assert told(master.delete(f"/keys/{made['id']}"), 204) is None
    assert chat(managed, rotated["key"]).status_code == 401
    assert "not found" in refused(master.get(f"/keys/{made['id']}"), 404, "not_found")


def test_a_key_is_held_to_its_models(managed: Machine, master: httpx.Client) -> None:
    key = told(master.post("/keys", json={"allowed_models": ["up:e*", "mock:echo"]}), 200)

    found = [
        chat(managed, key["key"], model).status_code
        for model in ("up:echo", "fast", "mock:echo", "up:lorem:1", "mock:lorem:1", "bare:echo")
    ]

    assert found == [200, 200, 200, 403, 403, 403]
    told(master.patch(f"/keys/{key['id']}", json={"allowed_models": []}), 200)
    assert "not" in refused(chat(managed, key["key"]), 403, "model_not_allowed", "model")
    told(master.patch(f"/keys/{key['id']}", json={"allowed_models": None}), 200)
    assert chat(managed, key["key"], "up:lorem:1").status_code == 200
    refused(master.post("/keys", json={"allowed_models": ["echo"]}), 422, "invalid_request", "allowed_models")


def test_in_a_change_null_clears_what_can_be_empty_and_leaves_the_rest(master: httpx.Client) -> None:
    until = "2030-01-31T00:00:00.000Z"
    made = told(
        master.post("/keys", json={"key_name": "nulls", "expires_at": until, "metadata": {"a": 1}}), 200
    )

    nulls = {"is_active": None, "metadata": None, "expires_at": None}
    changed = told(master.patch(f"/keys/{made['id']}", json=nulls), 200)

    assert (changed["expires_at"], changed["is_active"]) == (None, True)
    assert (changed["metadata"], changed["key_name"]) == ({"a": 1}, "nulls")


def test_a_user_is_made_blocked_budgeted_deleted_and_revived(managed: Machine, master: httpx.Client) -> None:
    budget = told(master.post("/budgets", json={"max_budget": 0.5, "budget_duration_sec": 3600}), 200)
    assert (budget["max_budget"], budget["limit_usd"], budget["budget_duration_sec"]) == (0.5, "0.50", 3600)
    made = told(master.post("/users", json={"user_id": "team/ana", "budget_id": budget["budget_id"]}), 200)
    assert made.keys() >= USER
    assert (made["spend"], made["spend_usd"], made["budget_id"]) == (0.0, "0.00", budget["budget_id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made["next_budget_reset_at"])
    assert "already exists" in refused(master.post("/users", json={"user_id": "team/ana"}), 409, "conflict")
    key = told(master.post("/keys", json={"user_id": "team/ana"}), 200)["key"]
    assert chat(managed, key).status_code == 200

    told(master.patch("/users/team%2Fana", json={"blocked": True}), 200)
    refused(chat(managed, key), 403, "user_blocked")
    told(master.patch("/users/team%2Fana", json={"blocked": False, "budget_id": None}), 200)
    assert told(master.get("/users/team%2Fana"), 200)["budget_id"] is None
    managed.quiet()
    (row,) = told(master.get("/users/team%2Fana/usage"), 200)
    assert told(master.get("/users/team%2Fana"), 200)["spend_usd"] == row["cost_usd"] != "0.00"

    assert told(master.delete("/users/team%2Fana"), 204) is None
    assert chat(managed, key).status_code == 401
    refused(master.get("/users/team%2Fana"), 404, "not_found")
    refused(master.post("/keys", json={"user_id": "team/ana"}), 404, "not_found")
    assert told(master.get("/users/team%2Fana/usage"), 200) == [row], "usage outlives its user"
    told(master.post("/users", json={"user_id": "team/ana"}), 200)
    assert chat(managed, key).status_code == 401, "keys of the one before stay revoked"


def test_a_budget_is_changed_and_cannot_be_deleted_from_under_its_holders(
    managed: Machine, master: httpx.Client
) -> None:
    budget = told(master.post("/budgets", json={"max_budget": "0.000000001"}), 200)["budget_id"]
    told(master.post("/users", json={"user_id": "poor", "budget_id": budget}), 200)
    key = told(master.post("/keys", json={"user_id": "poor"}), 200)["key"]
    refused(chat(managed, key), 403, "budget_exceeded")

    assert told(master.patch(f"/budgets/{budget}", json={"max_budget": None}), 200)["max_budget"] is None
    assert chat(managed, key).status_code == 200
    assert "user:poor" in refused(master.delete(f"/budgets/{budget}"), 409, "conflict")
    told(master.patch("/users/poor", json={"budget_id": None}), 200)
    assert told(master.delete(f"/budgets/{budget}"), 204) is None
    refused(master.patch(f"/budgets/{budget}", json={}), 404, "not_found")
    refused(master.patch("/users/poor", json={"budget_id": budget}), 404, "not_found")


@pytest.mark.parametrize("path", ["/keys", "/users", "/budgets", "/pricing", "/usage"])
def test_a_list_is_a_bare_array_of_bounded_pages(master: httpx.Client, path: str) -> None:
    assert isinstance(told(master.get(path), 200), list)
    assert len(told(master.get(path, params={"limit": 1}), 200)) <= 1
    for name, value in (("limit", 0), ("limit", 1001), ("skip", -1), ("limit", "x"), ("limt", 5)):
        refused(master.get(path, params={name: value}), 422, "invalid_request", name)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/keys", {"id": "mine"}, "id"),
        ("/keys", {"is_active": False}, "is_active"),
        ("/keys", {"key": "gw-mine"}, "key"),
        ("/keys", {"metadata": []}, "metadata"),
        ("/keys", {"expires_at": "soon"}, "expires_at"),
        ("/users", {}, "user_id"),
        ("/users", {"user_id": "x", "spend": 0}, "spend"),
        ("/users", {"user_id": "x", "blocked": "no"}, "blocked"),
        ("/budgets", {"max_budget": -1}, "max_budget"),
        ("/budgets", {"max_budget": 1, "budget_duration_sec": 0}, "budget_duration_sec"),
        ("/budgets", {"max_budget": 1, "created_at": "2026-01-01T00:00:00Z"}, "created_at"),
        ("/pricing", {"model_key": "up:x", "output_price_per_million": 1}, "input_price_per_million"),
        (
            "/pricing",
            {"model_key": "up:x", "input_price_per_million": -1, "output_price_per_million": 1},
            "input_price_per_million",
        ),
        (
            "/pricing",
            {"model_key": "nowhere:x", "input_price_per_million": 1, "output_price_per_million": 1},
            "model_key",
        ),
    ],
)
def test_a_body_that_does_not_fit_is_refused_by_its_field(
    master: httpx.Client, path: str, body: dict[str, object], field: str
) -> None:
    refused(master.post(path, json=body), 422, "invalid_request", field)


def test_every_write_leaves_a_line_that_names_its_maker_and_no_secret(
    managed: Machine, master: httpx.Client
) -> None:
    assert managed.daemon is not None
    before = managed.daemon.stderr().count("otari.audit")

    made = told(master.post("/keys?reason=on%20call", json={"key_name": "audited"}), 200)
    rehearsed = told(master.post("/keys?dry_run=true", json={"key_name": "rehearsed"}), 200)
    rotated = told(master.post(f"/keys/{made['id']}/rotate"), 200)
    refused(master.patch(f"/keys/{made['id']}", json={"key_name": ""}), 422, "invalid_request", "key_name")
    told(master.delete(f"/keys/{made['id']}"), 204)

    lines = [line for line in managed.daemon.stderr().splitlines() if "otari.audit" in line][before:]
    assert [re.search(r"action=(\w+)", line)[1] for line in lines] == [  # type: ignore[index]
        *("create_key", "rotate_key", "delete_key")
    ]
    assert all(f'target="{made["id"]}" actor="master key" address=127.0.' in line for line in lines)
    assert lines[0].endswith('reason="on call"')
    assert rehearsed["key"] is None
    for secret in (MASTER_KEY, made["key"], rotated["key"]):
        assert secret not in managed.daemon.stderr()
