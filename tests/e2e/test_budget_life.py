"""The life of a budget as its operator and its callers meet it: CLI, spawned daemon, official SDK."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.e2e.machine import Machine, nano

pytestmark = pytest.mark.e2e

HELLO = [{"role": "user", "content": "hi"}]
COMMAND_S = 30


def otari(machine: Machine, *argv: str) -> str:
    """Run a command line against a machine's daemon; its standard output."""
    ran = subprocess.run(
        [sys.executable, "-m", "otari_cli", *argv],
        env={**os.environ, "OTARI_ADMIN_SOCKET": str(machine.socket), "HOME": str(machine.home)},
        cwd=Path.cwd(), capture_output=True, text=True, check=False, timeout=COMMAND_S,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def told(machine: Machine, *argv: str) -> Any:
    """What a command answers as JSON."""
    return json.loads(otari(machine, *argv, "-o", "json"))


def refused(machine: Machine, key: str, model: str = "up:echo") -> Any:
    """The body of a refusal; whatever is answered otherwise fails."""
    with (
        openai.OpenAI(base_url=machine.url, api_key=key, max_retries=0) as client,
        pytest.raises(openai.APIStatusError) as caught,
    ):
        client.chat.completions.create(model=model, messages=HELLO, max_tokens=50)
    return caught.value


def ask(machine: Machine, key: str, model: str = "up:echo") -> Any:
    """One answer with its headers."""
    with openai.OpenAI(base_url=machine.url, api_key=key, max_retries=0) as client:
        return client.chat.completions.with_raw_response.create(model=model, messages=HELLO, max_tokens=50)


def test_a_raise_admits_the_next_request_and_is_taken_back(machine: Machine) -> None:
    key = machine.new_key(key_name="ci", budget="0/day")
    assert refused(machine, key).code == "budget_exceeded"

    otari(machine, "budget", "raise", "key:ci", "+5", "--for", "2h", "--reason", "release day")
    ask(machine, key)
    (shown,) = told(machine, "budgets", "show", "key:ci")["raises"]
    assert (shown["amount_usd"], shown["reason"], shown["uid"]) == ("5.00", "release day", os.getuid())
    assert "+$5.00 until" in otari(machine, "budgets", "show", "key:ci")

    otari(machine, "budgets", "unraise", "key:ci")
    assert refused(machine, key).code == "budget_exceeded"


def test_a_frozen_key_is_told_why_and_let_in_again(machine: Machine) -> None:
    key = machine.new_key(key_name="leaky", user_id="lee")

    otari(machine, "freeze", "key:leaky", "--for", "1h", "--reason", "found in a gist")
    refusal = refused(machine, key)
    assert (refusal.status_code, refusal.code) == (403, "frozen")
    assert "found in a gist" in refusal.message
    assert [each["holder"] for each in told(machine, "freeze")] == ["key:leaky"]

    otari(machine, "unfreeze", "key:leaky")
    ask(machine, key)
    otari(machine, "freeze", "user:lee")
    assert refused(machine, key).code == "frozen"


def test_a_budget_in_use_is_not_deleted_and_a_deleted_key_is_gone(machine: Machine) -> None:
    key = machine.new_key(key_name="gone", budget="5/day")

    status, problem = machine.admin("DELETE", "/v1/budgets/key:gone")
    assert (status, "key:gone" in problem["message"]) == (409, True)

    otari(machine, "keys", "delete", "gone", "--yes")
    assert refused(machine, key).status_code == 401
    assert machine.admin("DELETE", "/v1/budgets/key:gone")[0] == 204


def test_a_shadow_budget_lets_pass_and_counts(machine: Machine) -> None:
    otari(machine, "budgets", "create", "watcher", "0/day", "--mode", "shadow")
    key = machine.new_key(key_name="watched")
    otari(machine, "budgets", "assign", "watcher", "key:watched")

    ask(machine, key)
    ask(machine, key)

    (group,) = told(machine, "explain", "--refused", "--shadow")
    assert (group["code"], group["budget"], group["count"]) == ("would_exceed", "watcher", 2)


def held_for_one(machine: Machine, model: str) -> int:
    """What one such request is held at, in nano-USD."""
    ask(machine, machine.new_key(key_name="measure"), model)
    return nano({"cost_usd": machine.usage()[0]["held_usd"]})


@pytest.mark.parametrize("stream", [False, True])
def test_a_fallback_is_told_in_headers_and_in_the_explanation(machine: Machine, stream: bool) -> None:
    name = f"thrifty-{stream}"
    price = {"model_key": "bare:echo", "input_price_per_million": "0.1", "output_price_per_million": "0.2"}
    machine.ask("POST", "/v1/pricing", price)
    limit = f"0.{held_for_one(machine, 'up:echo') - 1:09d}"
    otari(machine, "budgets", "create", name, limit, "--on-exceed", "fallback:bare:echo")
    key = machine.new_key(key_name=name, budget=name)

    with openai.OpenAI(base_url=machine.url, api_key=key, max_retries=0) as client:
        raw = client.chat.completions.with_raw_response.create(
            model="up:echo", messages=HELLO, max_tokens=50, stream=stream
        )
        assert list(raw.parse())

    assert (raw.headers["x-otari-model"], raw.headers["x-otari-provider"]) == ("bare:echo", "bare")
    assert raw.headers["x-otari-fallback"] == f"budget_exceeded; budget={name}; asked=up:echo"
    machine.quiet()
    explained = " ".join(otari(machine, "explain", raw.headers["x-request-id"]).split())
    assert f"instead of up:echo, for which budget {name} had no room" in explained
    row = machine.usage()[0]
    assert (row["model"], row["request_id"]) == ("bare:echo", raw.headers["x-request-id"])


async def test_a_throttled_budget_serves_in_turn_what_it_would_have_refused(machine: Machine) -> None:
    held = await asyncio.to_thread(held_for_one, machine, "up:slow:1")
    narrow = f"0.{held * 3:09d}"
    otari(machine, "budgets", "create", "narrow", narrow, "--on-exceed", "throttle")
    key = machine.new_key(key_name="narrow", budget="narrow")
    before = len(machine.bill())

    async with openai.AsyncOpenAI(base_url=machine.url, api_key=key, max_retries=0, timeout=60) as client:
        asking = [
            client.chat.completions.create(model="up:slow:200", messages=HELLO, max_tokens=50)
            for _ in range(9)
        ]
        await asyncio.gather(*asking)

    assert len(machine.bill()) - before == 9
