"""Histories of admissions, recorded and judged: `python -m tests.proofs.histories --histories 200`.

Eight clients set money aside and give it back at the control plane; a call lasts from before it is asked
until it is on disk. Eight threads do the same over HTTP, where a request is both.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import itertools
import json
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from otari_daemon.control.plane import Admission, Ending
from otari_daemon.domain.errors import BudgetExceeded
from otari_daemon.domain.money import format_usd
from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.domain.usage import Usage
from otari_daemon.protocol.messages.keys import KeyCreate
from tests.control.world import ACTOR, WAIT_S, Entropy, HandClock, World, opened
from tests.e2e.machine import Machine, nano
from tests.proofs.linearizable import Call, admitted, refused, released, unexplained

CLIENTS = 8
TOKEN_NANO = 1_000
LIMIT_TOKENS = 20_000
HELD_TOKENS = (100, 6_000)
HTTP_LIMIT_NANO = 4_000_000


class History(NamedTuple):
    """Calls against one limit, in nano-USD."""

    limit: int
    calls: list[Call]

    @property
    def refusals(self) -> int:
        """How many calls met no room: a history without any proves little."""
        return sum(not step.fitted for call in self.calls for step in call.steps)

    @property
    def sound(self) -> bool:
        """Whether some order explains it."""
        return unexplained(self.limit, self.calls) is None


class _Client:
    """Holds at most three requests at once, and settles them as it likes."""

    def __init__(self, world: World, secret: str, rng: random.Random, clock: itertools.count[int]) -> None:
        self._world, self._secret, self._rng, self._clock = world, secret, rng, clock
        self._held: list[Admission] = []
        self.calls: list[Call] = []

    async def act(self, times: int) -> None:
        """Set aside or give back, so many times."""
        for _ in range(times):
            if self._held and (len(self._held) == 3 or self._rng.random() < 0.45):
                await self._give_back(self._held.pop(self._rng.randrange(len(self._held))))
            else:
                await self._set_aside()

    async def _set_aside(self) -> None:
        tokens, began = self._rng.randint(*HELD_TOKENS), next(self._clock)
        for _ in range(self._rng.randrange(3)):
            await asyncio.sleep(0)
        try:
            admission = await self._world.admit(self._secret, tokens)
        except BudgetExceeded:
            self._note(began, refused(tokens * TOKEN_NANO))
            return
        assert await admission.opened.wait(WAIT_S)
        self._held.append(admission)
        self._note(began, admitted(tokens * TOKEN_NANO))

    async def _give_back(self, admission: Admission) -> None:
        """Mostly at no charge, else at very little, so that the limit is met often and not for good."""
        used, began = self._rng.choice((0, 0, 0, 5)), next(self._clock)
        reason = Reason.USAGE if used else Reason.REFUSED
        seen = Consumption(Usage(input=used)) if used else Consumption()
        ticket = self._world.plane.settle(admission, Ending(reason, seen, 200))
        assert await ticket.wait(WAIT_S)
        self._note(began, released(admission.grant.hold.amount - used * TOKEN_NANO))

    def _note(self, began: int, *steps: object) -> None:
        self.calls.append(Call(began, next(self._clock), steps))  # type: ignore[arg-type]


async def recorded(world: World, operations: int, seed: int) -> History:
    """A history of so many operations by eight clients of one fresh key."""
    limit = LIMIT_TOKENS * TOKEN_NANO
    made = await world.ops.create_key(
        KeyCreate(key_name=f"lin {seed}", budget=format_usd(limit)), ACTOR, dry_run=False
    )
    assert made.key is not None
    rng, clock = random.Random(seed), itertools.count()
    clients = [_Client(world, made.key, random.Random(rng.random()), clock) for _ in range(CLIENTS)]
    await asyncio.gather(*(client.act(operations // CLIENTS) for client in clients))
    return History(limit, [call for client in clients for call in client.calls])


def recorded_over_http(machine: Machine, requests: int) -> History:
    """A history of equal requests by eight threads on one fresh key, each held high and charged little."""
    key, clock = machine.new_key(budget=format_usd(HTTP_LIMIT_NANO)), itertools.count()
    body = {"model": "up:lorem:4", "messages": [{"role": "user", "content": "go"}], "max_tokens": 300}
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def ask(_: int) -> tuple[int, int, int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", machine.port, timeout=WAIT_S)
        began = next(clock)
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return began, next(clock), answer.status, answer.headers["X-Request-ID"]

    with ThreadPoolExecutor(CLIENTS) as threads:
        asked = list(threads.map(ask, range(requests)))
    assert {status for *_, status, _ in asked} <= {200, 403}
    machine.quiet()
    rows = {row["request_id"]: row for row in machine.usage()}
    (held,) = {nano({"cost_usd": rows[id]["held_usd"]}) for *_, status, id in asked if status == 200}
    return History(
        HTTP_LIMIT_NANO,
        [
            Call(began, ended, (admitted(held), released(held - nano(rows[id]))))
            if status == 200
            else Call(began, ended, (refused(held),))
            for began, ended, status, id in asked
        ],
    )


async def run(histories: int, operations: int, seed: int) -> int:
    """Record and judge histories, ten to a database; print as it goes; give the number without an order."""
    unsound = refusals = 0
    for first in range(0, histories, 10):
        with tempfile.TemporaryDirectory() as folder:
            async with opened(Path(folder) / "lin.db", HandClock(), Entropy()) as world:
                for at in range(first, min(first + 10, histories)):
                    history = await recorded(world, operations, seed + at)
                    refusals += history.refusals
                    if not history.sound:
                        unsound += 1
                        print(f"seed {seed + at}: {unexplained(history.limit, history.calls)} has no place")
        print(f"{min(first + 10, histories)} histories, {refusals} refusals, {unsound} unsound", flush=True)
    return unsound


def main() -> None:
    """Read the arguments; exit 1 when a history has no order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=200)
    parser.add_argument("--operations", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    began_s = time.monotonic()
    unsound = asyncio.run(run(arguments.histories, arguments.operations, arguments.seed))
    took_s = time.monotonic() - began_s
    print(
        f"{arguments.histories} histories of {arguments.operations} operations, {unsound} without an order "
        f"({took_s:.0f} s)"
    )
    sys.exit(1 if unsound else 0)


if __name__ == "__main__":
    main()
