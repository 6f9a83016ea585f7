"""Many rows in one step of the database.

Every step gives the interpreter's lock away and has to wait for it again, up to a switch interval each time
when the event loop is busy. A step for each row makes a commit of a hundred rows take seconds then; one step
for all of them does not, and runs beside the event loop.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import chain

from otari_daemon.store.sql import BULK_SIZES, Bulk

_LARGEST = BULK_SIZES[0]


def run(con: sqlite3.Connection, bulk: Bulk, rows: Sequence[Sequence[object]]) -> int:
    """Execute `bulk` for every row; return how many rows of the table changed."""
    changed = 0
    for start in range(0, len(rows), _LARGEST):
        part = rows[start : start + _LARGEST]
        size = 1 << (len(part) - 1).bit_length()
        values = list(chain.from_iterable(part))
        values += [None] * (size * bulk.width - len(values))
        changed += con.execute(bulk.texts[size], values).rowcount
    return changed
