"""A budget that runs out half-way through equal requests."""

from __future__ import annotations

from typing import NamedTuple

import openai

from tests.e2e.machine import Machine, nano
from tests.real.asking import ANSWER_S_MAX, RIVERS, whole
from tests.real.books import Tally

ATTEMPTS = 12
FITTING = 5
"""The budget has room for this many at full price and one more hold; cached prompts make it a few more."""

TOKENS_MAX = 24
ANSWERED, REFUSED = "200", "403 budget_exceeded"


class RanOut(NamedTuple):
    """How many of ATTEMPTS were answered, and what that cost of what."""

    passed: int
    refused: int
    spent_nano: int
    limit_nano: int


def run_out(machine: Machine, key: str, tally: Tally) -> RanOut:
    """Ask until long after the money is gone. A request passes exactly while its hold fits what is left."""
    held, cost = _measure(machine, key)
    limit = held + FITTING * cost
    poor = machine.new_key(key_name="poor", budget=_usd(limit))
    before = {row["request_id"] for row in machine.usage()}
    statuses = _ask(machine, poor)
    machine.quiet()
    rows = [row for row in reversed(machine.usage()) if row["request_id"] not in before]
    spent, passed = 0, len(rows)
    for n, row in enumerate(rows):
        tally.expect(spent + held <= limit, f"request {n + 1} passed with {spent} of {limit} nano-USD spent")
        spent += nano(row)
    tally.expect(0 < passed < ATTEMPTS, f"{passed} of {ATTEMPTS} passed: the budget did not run out half-way")
    tally.expect(
        statuses == [ANSWERED] * passed + [REFUSED] * (ATTEMPTS - passed), f"answered with {statuses}"
    )
    tally.expect(spent + held > limit, f"refused though {limit - spent} nano-USD were left for {held}")
    tally.expect(spent <= limit, f"overspent: {spent} of {limit} nano-USD")
    return RanOut(passed, ATTEMPTS - passed, spent, limit)


def _measure(machine: Machine, key: str) -> tuple[int, int]:
    """What one such request is held at and costs, in nano-USD, learned under another key."""
    with _client(machine, key) as client:
        asked = whole(client, "", RIVERS, TOKENS_MAX)
    (row,) = [row for row in machine.usage() if row["request_id"] == asked.request_id]
    return nano({"cost_usd": row["held_usd"]}), nano(row)


def _ask(machine: Machine, key: str) -> list[str]:
    statuses = []
    with _client(machine, key) as client:
        for _ in range(ATTEMPTS):
            try:
                whole(client, "", RIVERS, TOKENS_MAX)
            except openai.PermissionDeniedError as error:
                statuses.append(f"{error.status_code} {error.code}")
            else:
                statuses.append(ANSWERED)
    return statuses


def _client(machine: Machine, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=machine.url, api_key=key, max_retries=0, timeout=ANSWER_S_MAX)


def _usd(nano_usd: int) -> str:
    return f"{nano_usd // 10**9}.{nano_usd % 10**9:09d}"
