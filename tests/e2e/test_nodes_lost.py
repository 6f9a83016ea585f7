"""A node that dies under load, and one that stands still and wakes: the other goes on, books are exact."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from typing import NamedTuple

import httpx
import psycopg2
import pytest

from tests.e2e.nodes import Node, all_quiet, ask, client, nodes

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(240)]

CLIENTS = 8
LOADED_S = 1.5
SWEPT_S = 20.0
FENCED_S = 20.0
POLL_S = 0.1
SLACK_S = 10.0
"""What a busy machine may add to that."""

CANNOT_GO_ON = 78
LEFT = """SELECT (SELECT count(*) FROM node WHERE epoch = %s),
  (SELECT count(*) FROM hold WHERE owner_epoch = %s AND state < 2),
  (SELECT count(*) FROM lease WHERE epoch = %s),
  (SELECT count(*) FROM hold WHERE owner_epoch = %s AND state = 4)"""
SLOW = {"model": "up:slow:300", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}


class Load:
    """Clients that ask one node until it fails them; `answered` counts whole answers."""

    def __init__(self, machine: Node, key: str) -> None:
        self.answered = 0
        self._ended = False
        self._http = client(machine, key)
        self._tasks = [asyncio.create_task(self._ask()) for _ in range(CLIENTS)]

    async def _ask(self) -> None:
        with suppress(httpx.HTTPError):
            while not self._ended:
                if await ask(self._http, SLOW) == "200":
                    self.answered += 1

    async def end(self) -> None:
        """Ask no more."""
        self._ended = True
        await asyncio.gather(*self._tasks)
        await self._http.aclose()


class Left(NamedTuple):
    """What the database has of a node: whether it lives, its open holds, its leases, its presumed charges."""

    alive: int
    holds: int
    leases: int
    presumed: int


async def left(machine: Node, epoch: int) -> Left:
    """Look at the rows."""
    return await asyncio.to_thread(lambda: Left(*rows(machine, LEFT, (epoch,) * 4)))


def rows(machine: Node, statement: str, values: tuple[object, ...] = ()) -> tuple[int, ...]:
    """The one row a question to the database answers with."""
    with closing(psycopg2.connect(machine.database_url)) as con, con.cursor() as cursor:
        cursor.execute(statement, values)
        row: tuple[int, ...] = cursor.fetchone()
        return row


async def swept(other: Node, epoch: int) -> Left:
    """Wait until nothing of a node is left open, at most `SWEPT_S`."""
    began_s = time.monotonic()
    while any((found := await left(other, epoch))[:3]):
        assert time.monotonic() < began_s + SWEPT_S + SLACK_S, found
        await asyncio.sleep(POLL_S)
    return found


Act = Callable[[Node, Node, int], Awaitable[None]]


async def loaded(act: Act) -> None:
    """Load two nodes, have `act` do something to the first, and prove the books by the second."""
    with nodes() as (one, other):
        (epoch,) = rows(other, "SELECT min(epoch) FROM node")
        key = one.new_key(key_name="shared", budget="1000")
        loads = [Load(one, key), Load(other, key)]
        await asyncio.sleep(LOADED_S)
        await act(one, other, epoch)
        before = loads[1].answered
        await asyncio.sleep(LOADED_S)
        for load in loads:
            await load.end()
        await asyncio.to_thread(all_quiet, [other])

        assert loads[0].answered
        assert loads[1].answered > before > 0
        charged = await asyncio.to_thread(other.usage)
        assert len({row["request_id"] for row in charged}) == len(charged)
        assert len(charged) >= loads[0].answered + loads[1].answered


async def test_what_a_killed_node_held_is_charged_once_while_the_other_serves() -> None:
    async def kill(one: Node, other: Node, epoch: int) -> None:
        assert one.daemon is not None
        one.daemon.kill()
        one.daemon = None
        dead = await left(other, epoch)
        assert dead.alive
        assert dead.holds
        assert dead.leases

        assert (await swept(other, epoch)).presumed == dead.holds

    await loaded(kill)


async def test_a_node_that_stood_still_is_swept_and_stops_when_it_wakes() -> None:
    async def stop(one: Node, other: Node, epoch: int) -> None:
        assert one.daemon is not None
        process = one.daemon.process
        os.kill(process.pid, signal.SIGSTOP)
        dead = await left(other, epoch)
        found = await swept(other, epoch)
        assert found.presumed == dead.holds > 0
        os.kill(process.pid, signal.SIGCONT)

        assert await asyncio.to_thread(process.wait, FENCED_S) == CANNOT_GO_ON
        assert "another otari daemon has taken" in one.daemon.stderr()
        assert await left(other, epoch) == found

    await loaded(stop)
