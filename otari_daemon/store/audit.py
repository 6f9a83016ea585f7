"""The rules of `verify`, a slice of the ledger at a time: what a daemon can afford while it serves.

A walk reads closed holds once, oldest first, a slice a snapshot; those it meets open are read at its end,
when the last slice, they and the balances stand in one snapshot and every sum must agree. What it finds is a
suspicion: a clock set back hides rows from a walk, so `verify` has the last word.
"""

from __future__ import annotations

from typing import Any

from otari_daemon.store import sql_audit as sql
from otari_daemon.store.database import Session
from otari_daemon.store.schema import SENT
from otari_daemon.store.verify import Finding, Proof

SLICE_ROWS = 10_000
"""About 60 ms of one reader thread."""

FINDINGS_MAX = 10
_STATE = 4


class Walk:
    """One walk; `done` once the balances have been compared."""

    def __init__(self, slice_rows: int = SLICE_ROWS) -> None:
        self._slice_rows = slice_rows
        self._proof = Proof()
        self._after_ms = -1
        self._newest_bundle = -1
        self._open: list[bytes] = []
        self.done = False

    def step(self, session: Session) -> list[Finding]:
        """Take the next slice, and the end if it is the last; return what looks wrong."""
        proof, con = self._proof, session.con
        findings = list(proof.read_cards(con))
        self._newest_bundle = proof.read_bundles(con.execute(sql.BUNDLES, (self._newest_bundle,) * 2))
        rows = con.execute(sql.SLICE, (self._after_ms, self._slice_rows)).fetchall()
        last = len(rows) < self._slice_rows
        for row in rows if last else self._whole_milliseconds(rows):
            if row[_STATE] <= SENT:
                self._open.append(bytes(row[1]))
            else:
                findings += proof.check_row(row[1:])
        if last:
            self.done = True
            for rid in self._open:
                for row in con.execute(sql.ONE, (rid,)):
                    findings += proof.check_row(row)
            findings += proof.check_balances(con)
        return findings[:FINDINGS_MAX]

    def _whole_milliseconds(self, rows: list[Any]) -> list[Any]:
        """The rows of a slice without those of its last millisecond, with which the next one begins."""
        newest_ms = rows[-1][0]
        kept = [row for row in rows if row[0] < newest_ms]
        self._after_ms = newest_ms - 1 if kept else newest_ms
        return kept or rows
