"""Prices, usage and settings on the public port: all of it for the master key, its own for a virtual key."""

from __future__ import annotations

import httpx
import pytest

from tests.e2e.machine import Machine
from tests.e2e.managing import MASTER_KEY, chat, client, refused, told

pytestmark = pytest.mark.e2e

PRICED = {"model_key", "effective_at", "input_price_per_million", "output_price_per_million"}
ROW = {
    *("id", "api_key_id", "user_id", "timestamp", "model", "provider", "endpoint", "prompt_tokens"),
    *("completion_tokens", "total_tokens", "cost", "status", "error_message"),
}


def test_a_price_has_versions_that_are_set_shown_and_removed(master: httpx.Client) -> None:
    new = {"model_key": "up/meta/llama", "input_price_per_million": 1.5, "output_price_per_million": 2}
    made = told(master.post("/pricing", json={**new, "effective_at": "2026-01-01T00:00:00"}), 200)
    told(master.post("/pricing", json={**new, "input_price_per_million": "9.25"}), 200)

    assert made.keys() >= PRICED | {"created_at", "updated_at"}
    assert (made["model_key"], made["effective_at"]) == ("up:meta/llama", "2026-01-01T00:00:00.000Z")
    for path in ("up:meta/llama", "up/meta/llama", "up%3Ameta%2Fllama"):
        assert told(master.get(f"/pricing/{path}"), 200)["input_price_per_million"] == 9.25
        found = told(master.get(f"/pricing/{path}/history"), 200)
        assert [version["input_usd_per_million"] for version in found] == ["9.25", "1.50"]
    as_of = {"as_of": "2026-02-01T00:00:00Z"}
    assert told(master.get("/pricing/up:meta/llama", params=as_of), 200)["input_price_per_million"] == 1.5
    gone = {"effective_at": "2026-01-01T00:00:00Z"}
    assert told(master.delete("/pricing/up:meta/llama", params=gone), 204) is None
    refused(master.delete("/pricing/up:meta/llama", params=gone), 404, "not_found")
    assert told(master.delete("/pricing/up:meta/llama"), 204) is None
    refused(master.get("/pricing/up:meta/llama/history"), 404, "not_found")
    refused(master.get("/pricing/nowhere:model"), 404, "not_found")


def test_a_virtual_key_sees_the_prices_of_its_own_models(managed: Machine, master: httpx.Client) -> None:
    for model in ("up:a", "up:b"):
        price = {"model_key": model, "input_price_per_million": 1, "output_price_per_million": 1}
        told(master.post("/pricing", json=price), 200)
    key = told(master.post("/keys", json={"allowed_models": ["up:a"]}), 200)["key"]

    with client(managed, key) as tenant:
        assert [each["model_key"] for each in told(tenant.get("/pricing"), 200)] == ["up:a"]
        assert told(tenant.get("/pricing?skip=1"), 200) == []
        assert told(tenant.get("/pricing/up/a"), 200)["model_key"] == "up:a"
        assert len(told(tenant.get("/pricing/up:a/history"), 200)) == 1
        for path in ("up:b", "up/b", "up:b/history", "up:*", "none:such"):
            refused(tenant.get(f"/pricing/{path}"), 404, "not_found")
        assert tenant.delete("/pricing/up:a").status_code == 401
    assert {"up:a", "up:b"} <= {each["model_key"] for each in told(master.get("/pricing"), 200)}


def test_models_are_listed_for_the_master_key_and_for_a_key_as_far_as_it_reaches(
    managed: Machine, master: httpx.Client
) -> None:
    key = told(master.post("/keys", json={"allowed_models": ["mock:*"]}), 200)["key"]

    every = {model["id"] for model in told(master.get("/models"), 200)["data"]}
    with client(managed, key) as tenant:
        own = {model["id"] for model in told(tenant.get("/models"), 200)["data"]}
        refused(tenant.get("/models/up:echo"), 404, "not_found")

    assert {"fast", "up:echo", "mock:echo"} <= every
    assert own == {name for name in every if name.startswith("mock:")} != set()
    assert told(master.get("/models/up:echo"), 200)["id"] == "up:echo"
    assert told(master.get("/models?provider=mock"), 200)["data"]


def test_two_tenants_see_nothing_of_each_others_usage(managed: Machine, master: httpx.Client) -> None:
    one, two = (
        told(master.post("/keys", json={"key_name": name, "user_id": name}), 200) for name in ("one", "two")
    )
    theirs = chat(managed, two["key"]).headers["x-request-id"]
    mine = chat(managed, one["key"]).headers["x-request-id"]
    managed.quiet()

    with client(managed, one["key"]) as tenant:
        (row,) = told(tenant.get("/usage"), 200)
        assert row.keys() >= ROW
        assert (row["request_id"], row["api_key_id"], row["user_id"]) == (mine, one["id"], "one")
        assert told(tenant.get("/usage", params={"request_id": mine}), 200) == [row]
        assert told(tenant.get("/usage", params={"request_id": theirs}), 200) == []
        for name, value in (("key", "two"), ("key", two["id"]), ("user_id", "two"), ("user", "none")):
            refused(tenant.get("/usage", params={name: value}), 404, "not_found")
            refused(tenant.get("/usage/summary", params={name: value}), 404, "not_found")
        for own in ({"key": "one"}, {"key": one["id"]}, {"user_id": "one"}):
            assert told(tenant.get("/usage", params=own), 200) == [row]
        (group,) = told(tenant.get("/usage/summary", params={"by": "user"}), 200)
        assert (group["group"], group["requests"], group["cost_usd"]) == ("one", 1, row["cost_usd"])
        assert tenant.get("/users/one/usage").status_code == 401

    seen = {each["request_id"] for each in told(master.get("/usage"), 200)}
    assert {mine, theirs} <= seen
    assert [each["user_id"] for each in told(master.get("/usage?user_id=two"), 200)] == ["two"]


def test_usage_comes_in_pages_between_dates_newest_first(managed: Machine, master: httpx.Client) -> None:
    made = told(master.post("/keys", json={"user_id": "pages"}), 200)
    for _ in range(3):
        assert chat(managed, made["key"]).status_code == 200
    managed.quiet()

    rows = told(master.get("/users/pages/usage"), 200)
    first = master.get("/usage", params={"user_id": "pages", "limit": 2})
    cursor = {"user_id": "pages", "cursor": first.headers["otari-next-cursor"]}

    assert told(first, 200) + told(master.get("/usage", params=cursor), 200) == rows
    assert [row["timestamp"] for row in rows] == sorted((row["timestamp"] for row in rows), reverse=True)
    assert told(master.get("/users/pages/usage?skip=2"), 200) == rows[2:]
    for start, found in ((1, rows), ("2026-01-01T00:00:00Z", rows), ("2999-01-01", [])):
        assert told(master.get("/usage", params={"user_id": "pages", "start_date": start}), 200) == found
    assert told(master.get("/usage", params={"user_id": "pages", "end_date": 1}), 200) == []
    refused(master.get("/users/nobody/usage"), 404, "not_found")


def test_what_is_configured_can_be_read_without_any_secret(managed: Machine, master: httpx.Client) -> None:
    providers = told(master.get("/providers"), 200)
    settings = master.get("/settings")

    assert {each["name"]: each["type"] for each in providers} == {
        "up": "openai",
        "bare": "openai",
        "mock": "mock",
    }
    assert told(master.get("/aliases"), 200) == [{"name": "fast", "target": "up:echo", "source": "config"}]
    assert told(settings, 200)["providers"]["up"]["api_base"] == managed.mock_url
    assert MASTER_KEY not in settings.text
    assert settings.json()["master_key"] == "********"
    assert master.patch("/settings", json={"mock": False}).status_code == 405
