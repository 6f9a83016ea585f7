"""`kill -9` under load, again and again: `python -m tests.e2e.kill9 --cycles 500 --engine postgresql`.

After each restart: the books prove themselves, no hold is open, and every answer a client had seen
whole is on the ledger at exactly what the provider billed for it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx

from otari_daemon.mock.bill import BillLine, charge_nano
from tests.e2e.machine import Machine, nano
from tests.ledger.engines import ENGINES
from tests.postgres import DURABLE, Cluster

CLIENTS = 16
LIFE_S = (0.15, 1.2)
RECOVERED_S = 5.0
MODELS = ("up:echo", "up:lorem:20", "up:lorem:200", "up:drip:40:5", "up:cached:3", "up:reasoning:4")


class Seen(NamedTuple):
    """Ids of the requests whose answers a client has seen whole."""

    whole: set[str]


async def client(http: httpx.AsyncClient, seen: Seen, rng: random.Random) -> None:
    """Ask until the daemon dies."""
    while True:
        stream = rng.random() < 0.5
        body = {
            "model": rng.choice(MODELS),
            "stream": stream,
            "messages": [{"role": "user", "content": "word " * rng.randrange(1, 60)}],
        }
        try:
            async with http.stream("POST", "/chat/completions", json=body) as answer:
                content = await answer.aread()
        except httpx.HTTPError:
            return
        if answer.status_code == 200 and (not stream or content.endswith(b"data: [DONE]\n\n")):
            seen.whole.add(answer.headers["x-request-id"])


async def life(machine: Machine, key: str, seen: Seen, rng: random.Random) -> None:
    """Load one daemon until it is killed at a random moment."""
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=machine.url, headers=headers, timeout=30, verify=False) as http:
        clients = [asyncio.create_task(client(http, seen, rng)) for _ in range(CLIENTS)]
        await asyncio.sleep(rng.uniform(*LIFE_S))
        assert machine.daemon is not None
        machine.daemon.kill()
        await asyncio.wait_for(asyncio.gather(*clients), 10)


def judge(machine: Machine, seen: Seen, cycle: int) -> list[str]:
    """What is wrong after a restart; nothing, one hopes."""
    machine.quiet(RECOVERED_S)
    report = machine.ask("POST", "/ledger/verify")
    wrong = [f"cycle {cycle}: {finding}" for finding in report["findings"]]
    rows = {row["request_id"]: row for row in machine.usage()}
    bill: dict[str, BillLine] = {line.request_id: line for line in machine.bill()}
    for request_id in seen.whole:
        row, line = rows.get(request_id), bill.get(request_id)
        if row is None or line is None:
            wrong.append(f"cycle {cycle}: {request_id} was answered whole and has no row or no bill line")
        elif nano(row) != charge_nano(line):
            wrong.append(f"cycle {cycle}: {request_id} cost {nano(row)} and was billed {charge_nano(line)}")
    return wrong


def unseen(machine: Machine) -> int:
    """Requests the provider finished, whose hold and answer died together: `before_response` allows them."""
    rows = {row["request_id"] for row in machine.usage()}
    return sum(line.ended == "finished" and line.request_id not in rows for line in machine.bill())


def run(cycles: int, seed: int, **config: Any) -> int:
    """Live and die `cycles` times, so configured; print a line each; give the number of violations."""
    rng = random.Random(seed)
    machine = Machine(**config)
    seen, wrong = Seen(set()), []
    try:
        machine.start()
        key = machine.new_key(key_name="kill9", budget="1000/day")
        for cycle in range(1, cycles + 1):
            asyncio.run(life(machine, key, seen, rng))
            began = time.monotonic()
            machine.start()
            ready_s = time.monotonic() - began
            found = judge(machine, seen, cycle)
            wrong += found
            rows = machine.usage()
            reasons = sum(row["reason"] == "crash" for row in rows)
            print(
                f"cycle {cycle}/{cycles}: ready in {ready_s:.2f} s, {len(rows)} rows, {len(seen.whole)} seen "
                f"whole, {reasons} closed by recovery, {unseen(machine)} unseen, {len(found)} violations",
                flush=True,
            )
    finally:
        machine.stop()
    for finding in wrong[:20]:
        print(finding)
    print(f"{cycles} kills, {len(seen.whole)} answers acknowledged, {len(wrong)} violations (seed {seed})")
    return len(wrong)


@contextlib.contextmanager
def database(engine: str) -> Iterator[dict[str, str]]:
    """The config of a daemon on that engine; a server is made for it, one that syncs."""
    if engine == "sqlite":
        yield {}
        return
    server = Cluster(*DURABLE)
    try:
        yield {"database_url": server.new_database()}
    finally:
        server.remove()


def main() -> None:
    """Read the arguments; exit 1 on any violation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    arguments = parser.parse_args()
    with database(arguments.engine) as config:
        violations = run(arguments.cycles, arguments.seed, **config)
    sys.exit(1 if violations else 0)


if __name__ == "__main__":
    main()
