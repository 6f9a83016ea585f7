"""Whether there is disk enough to admit more: an insert that succeeds is no proof of space."""

from __future__ import annotations

from otari_daemon.store.database import Database

FLOOR_BYTES = 64 << 20
"""Below this much free disk nothing billable is admitted; what is in flight still settles."""

BYTES_PER_HOLD = 4096
WAL_MULTIPLE = 4


def enough(database: Database, open_holds: int, floor_bytes: int = FLOOR_BYTES) -> bool:
    """Whether free disk covers the floor, the log's growth and a page for every open hold."""
    needed = max(floor_bytes, WAL_MULTIPLE * database.wal_bytes(), BYTES_PER_HOLD * open_holds)
    return database.free_bytes() >= needed
