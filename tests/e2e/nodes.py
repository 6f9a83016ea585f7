"""Several daemons on one PostgreSQL database, each with a provider of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.e2e.machine import Machine
from tests.postgres import Cluster, cluster

LEASED_S = 30.0


@contextmanager
def nodes(count: int = 2, server: Cluster | None = None, **config: Any) -> Iterator[list[Machine]]:
    """Running nodes of one ledger; none is left when the block is."""
    url = (server or cluster()).new_database()
    made: list[Machine] = []
    try:
        for _ in range(count):
            made.append(Machine(database_url=url, ledger={"nodes": "shared", "audit_s": 1}, **config))
            made[-1].start()
        yield made
    finally:
        for machine in made:
            machine.stop()


def all_quiet(made: list[Machine], within_s: float = LEASED_S) -> None:
    """Wait until nothing is held anywhere and the books of every node prove themselves."""
    deadline_s = time.monotonic() + within_s
    for machine in made:
        machine.quiet(max(0.1, deadline_s - time.monotonic()))
    made[0].verified()
