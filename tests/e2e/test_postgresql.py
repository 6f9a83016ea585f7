"""The whole daemon on PostgreSQL: it serves, dies and recovers, and outlives its database's outages."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.e2e.kill9 import Seen, client, judge, run
from tests.e2e.machine import Machine
from tests.postgres import DURABLE, Cluster, cluster

CLIENTS = 8
OUTAGE_SEEN_S = 20.0
POLL_S = 0.05
ASK = {"model": "up:echo", "messages": [{"role": "user", "content": "are you there?"}]}

Step = Callable[[Cluster], None]


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A server that syncs, to be stopped and started."""
    made = Cluster(*DURABLE)
    yield made
    made.remove()


@pytest.mark.e2e
def test_a_daemon_on_postgresql_serves_settles_and_recovers_from_a_kill() -> None:
    machine = Machine(database_url=cluster().new_database())
    try:
        machine.start()
        key = machine.new_key(key_name="on postgresql", budget="1/day")
        headers = {"authorization": f"Bearer {key}"}
        for _ in range(10):
            httpx.post(f"{machine.url}/chat/completions", json=ASK, headers=headers).raise_for_status()
        machine.quiet()
        machine.daemon.kill()
        machine.start()

        assert machine.verified()["holds"] == 10
        assert sum(float(row["cost_usd"]) > 0 for row in machine.usage()) == 10
        assert machine.ask("GET", "/status")["database"].startswith("postgresql://")
    finally:
        machine.stop()


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_kills_under_load_leave_nothing_lost_on_postgresql() -> None:
    assert run(cycles=5, seed=11, database_url=cluster().new_database()) == 0


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.parametrize(
    ("away", "back"),
    [(Cluster.freeze, Cluster.thaw), (lambda server: server.stop(signal.SIGQUIT), Cluster.start)],
    ids=["does not answer", "crashed"],
)
def test_an_outage_under_load_fails_closed_and_loses_nothing(
    own_cluster: Cluster, away: Step, back: Step
) -> None:
    machine = Machine(database_url=own_cluster.new_database())
    seen = Seen(set())
    try:
        machine.start()
        key = machine.new_key(key_name="outage", budget="1000/day")
        asyncio.run(_outage(machine, key, seen, own_cluster, (away, back)))

        assert judge(machine, seen, 0) == []
        assert seen.whole
    finally:
        machine.stop()


async def _outage(machine: Machine, key: str, seen: Seen, server: Cluster, steps: tuple[Step, Step]) -> None:
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=machine.url, headers=headers, timeout=60, verify=False) as http:
        clients = [asyncio.create_task(client(http, seen, random.Random(n))) for n in range(CLIENTS)]
        await _until(http, 200)
        steps[0](server)
        await _until(http, 503)
        before = len(seen.whole)
        steps[1](server)
        await _until(http, 200)
        for _ in range(round(OUTAGE_SEEN_S / POLL_S)):
            await asyncio.sleep(0 if len(seen.whole) > before else POLL_S)
        for each in clients:
            each.cancel()
        await asyncio.gather(*clients, return_exceptions=True)


async def _until(http: httpx.AsyncClient, status: int) -> None:
    """Ask until that is the answer."""
    for _ in range(round(OUTAGE_SEEN_S / POLL_S)):
        if (await http.post("/chat/completions", json=ASK)).status_code == status:
            return
        await asyncio.sleep(POLL_S)
    pytest.fail(f"no {status} within {OUTAGE_SEEN_S} s")
