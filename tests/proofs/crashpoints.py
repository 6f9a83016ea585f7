"""Die at every point, five times, and prove the books: `python -m tests.proofs.crashpoints [--only NAME]`.

One life: load until the point is passed for the k-th time and the daemon ends with 137; start a plain one;
nothing may be open, the books must prove themselves, every answer a client had seen whole must be there at
what the provider billed, and so must every key an operator was told of. Then that daemon is killed under load
as well, so that the next life begins with holds to recover.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import httpx

from tests.e2e.kill9 import MODELS, Seen, judge
from tests.e2e.machine import STOP_S, Machine, Spawned
from tests.proofs.crashing import ENVIRONMENT, KILLED
from tests.proofs.points import POINTS, Point

CLIENTS = 6
REACHED_S = 20.0
KILL_AFTER_S = 0.15
NOTICED_S = 15.0
TROUBLED = ("up:fault:s400", "up:fault:rst_mid_body:900")
STREAM_END = b"data: [DONE]\n\n"


class Witness(NamedTuple):
    """What was acknowledged to clients and to an operator."""

    seen: Seen
    keys: set[str]


class Doomed(Machine):
    """A machine whose daemons die at a point."""

    def dies_at_start(self, point: Point, passing: int) -> bool:
        """Start a daemon that will die there; say whether it did before it was ready."""
        self.doomed = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.proofs.crashing"),
                *("--config", str(self.config), "--port", str(self.port)),
                *("--state-dir", str(self.home / "state"), "--admin-socket", str(self.socket)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(self.home), ENVIRONMENT: f"{point.name}:{passing}"},
        )
        assert self.doomed.stdout is not None
        with self.doomed.stdout as said:
            return not said.readline()


async def client(http_client: httpx.AsyncClient, seen: Seen, rng: random.Random) -> None:
    """Ask, now and then what ends badly, until the daemon dies."""
    while True:
        stream, model = rng.random() < 0.6, rng.choice(MODELS + TROUBLED)
        body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "word " * 20}]}
        try:
            async with http_client.stream("POST", "/chat/completions", json=body) as answer:
                content = await answer.aread()
        except httpx.HTTPError:
            return
        whole = answer.status_code == 200 and (not stream or content.endswith(STREAM_END))
        if whole and model not in TROUBLED:
            seen.whole.add(answer.headers["x-request-id"])


def operate(machine: Machine, keys: set[str]) -> None:
    """Make keys until the daemon dies; keep those that were acknowledged."""
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
        while True:
            keys.add(machine.ask("POST", "/v1/keys", {"key_name": f"made {len(keys)}"})["id"])
            time.sleep(0.01)


async def load(
    machine: Machine, witness: Witness, rng: random.Random, process: subprocess.Popen[bytes], live_s: float
) -> None:
    """Ask from all sides until the daemon is dead; kill it if it lives on after `live_s`."""
    headers = {"authorization": f"Bearer {machine.key}"}
    async with httpx.AsyncClient(base_url=machine.url, headers=headers, timeout=10, verify=False) as asking:
        clients = [asyncio.create_task(client(asking, witness.seen, rng)) for _ in range(CLIENTS)]
        clients.append(asyncio.create_task(asyncio.to_thread(operate, machine, witness.keys)))
        try:
            await asyncio.to_thread(process.wait, live_s)
        except subprocess.TimeoutExpired:
            process.kill()
        await asyncio.wait_for(asyncio.gather(*clients), NOTICED_S)


def life(machine: Doomed, point: Point, passing: int, witness: Witness, rng: random.Random) -> list[str]:
    """Die at a point and come back; say what is wrong."""
    name = f"{point.name}:{passing}"
    if not machine.dies_at_start(point, passing):
        asyncio.run(load(machine, witness, rng, machine.doomed, REACHED_S))
    code = machine.doomed.wait(STOP_S)
    wrong = [] if code == KILLED else [f"{name}: never passed, ended with {code}"]
    daemon = machine.start()
    wrong += [f"{name}: {finding}" for finding in judge(machine, witness.seen, passing)]
    wrong += [f"{name}: key {key} was acknowledged and is lost" for key in witness.keys - known_keys(machine)]
    orphan(machine, daemon, witness, rng)
    return wrong


def known_keys(machine: Machine) -> set[str]:
    """The id of every key there is."""
    known: set[str] = set()
    while page := machine.ask("GET", f"/v1/keys?limit=1000&skip={len(known)}"):
        known |= {key["id"] for key in page}
    return known


def orphan(machine: Machine, daemon: Spawned, witness: Witness, rng: random.Random) -> None:
    """Kill a daemon under load, so that the next one has something to recover."""
    asyncio.run(load(machine, witness, rng, daemon.process, KILL_AFTER_S))
    daemon.kill()


@contextlib.contextmanager
def machine_with_orphans(witness: Witness, rng: random.Random) -> Iterator[Doomed]:
    """A machine with a key, whose first daemon was killed under load."""
    machine = Doomed()
    try:
        daemon = machine.start()
        machine.key = machine.new_key(key_name="crash", budget="1000/day")
        orphan(machine, daemon, witness, rng)
        yield machine
    finally:
        machine.daemon = None
        machine.stop()


def run(names: Iterable[str], lives: int, seed: int) -> list[str]:
    """Die `lives` times at each of the points, a line for each; give what was wrong."""
    wrong: list[str] = []
    for name in names:
        point, witness, rng = POINTS[name], Witness(Seen(set()), set()), random.Random(f"{seed} {name}")
        began = time.monotonic()
        with machine_with_orphans(witness, rng) as machine:
            found = [
                line for k in point.place.passings[-lives:] for line in life(machine, point, k, witness, rng)
            ]
        wrong += found
        took_s = time.monotonic() - began
        whole = len(witness.seen.whole)
        print(f"{name}: {lives} lives, {whole} seen whole, {len(found)} wrong, {took_s:.1f} s", flush=True)
    return wrong


def main() -> None:
    """Read the arguments; exit 1 when anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="names that begin so", default="")
    parser.add_argument("--lives", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    names = [name for name in POINTS if name.startswith(arguments.only)]
    wrong = run(names, arguments.lives, arguments.seed)
    for line in wrong[:50]:
        print(line)
    print(f"{len(names)} crash points, {arguments.lives} lives each, {len(wrong)} violations")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
