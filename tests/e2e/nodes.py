"""Several daemons on one PostgreSQL database, each with a provider of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.e2e.machine import Machine
from tests.postgres import Cluster, cluster

QUIET_S = 30.0


class Node(Machine):
    """A machine whose daemon shares the ledger at `database_url`."""

    def __init__(self, database_url: str, **config: Any) -> None:
        self.database_url = database_url
        super().__init__(database_url=database_url, ledger={"nodes": "shared", "audit_s": 1}, **config)


@contextmanager
def nodes(count: int = 2, server: Cluster | None = None, **config: Any) -> Iterator[list[Node]]:
    """Running nodes of one ledger; none is left when the block is."""
    url = (server or cluster()).new_database()
    made: list[Node] = []
    try:
        for _ in range(count):
            made.append(Node(url, **config))
            made[-1].start()
        yield made
    finally:
        for machine in made:
            machine.stop()


def all_quiet(made: list[Node], within_s: float = QUIET_S) -> None:
    """Wait until nothing is held anywhere, and have the books prove themselves."""
    deadline_s = time.monotonic() + within_s
    for machine in made:
        machine.quiet(max(0.1, deadline_s - time.monotonic()))
    made[0].verified()


def client(machine: Machine, key: str) -> httpx.AsyncClient:
    """An HTTP client of one node."""
    headers = {"authorization": f"Bearer {key}"}
    most = httpx.Limits(max_connections=2000)
    return httpx.AsyncClient(base_url=machine.url, headers=headers, timeout=60, verify=False, limits=most)


async def ask(http: httpx.AsyncClient, body: object) -> str:
    """The code a request ends with; 200 for an answer."""
    answer = await http.post("/chat/completions", json=body)
    return "200" if answer.status_code == 200 else str(answer.json()["error"]["code"])


def usd(nano: int) -> str:
    """An amount as the API takes it."""
    return f"{nano // 10**9}.{nano % 10**9:09d}"
