"""Making corrections: after all that was decided is on disk, from what the rows say then, a batch a turn."""

from __future__ import annotations

from collections.abc import Sequence

from otari_daemon.control.operations.desk import Desk
from otari_daemon.domain.book import Correction, Drawn
from otari_daemon.domain.errors import LedgerUnavailable
from otari_daemon.store import adjustments as rows
from otari_daemon.store.adjustments import Standing

BATCH = 500
"""Corrections decided in one turn of the event loop: a few milliseconds."""

DURABLE_WAIT_S = 10.0


async def correct(desk: Desk, corrections: Sequence[Correction]) -> int:
    """Make corrections of different requests; return how many were made.

    One that was made before, or would leave its request charged less than nothing, is passed over.
    Raises LedgerUnavailable; then those of earlier batches are made, and a repeated call makes the rest.
    """
    made = 0
    for start in range(0, len(corrections), BATCH):
        batch = corrections[start : start + BATCH]
        made += await desk.alone(lambda batch=batch: _make(desk, batch))  # type: ignore[misc]  # bound now
    return made


async def _make(desk: Desk, batch: Sequence[Correction]) -> int:
    await _durable(desk)
    standing = await desk.read(rows.standing, [each.rid for each in batch])
    made = 0
    for each in batch:
        now = standing.get(each.rid)
        if now is None or (each.source, each.ref) in now.made or now.net + each.amount < 0:
            continue
        desk.ledger.book.adjust(each, _drawn(desk, now))
        made += 1
    await _durable(desk)
    return made


def _drawn(desk: Desk, standing: Standing) -> tuple[Drawn, ...]:
    known = desk.ledger.book.balance
    return tuple(
        Drawn(known(leg.balance.key) or leg.balance, leg.posted, leg.overage) for leg in standing.legs
    )


async def _durable(desk: Desk) -> None:
    ledger = desk.ledger
    if not ledger.available or not await ledger.ticket().wait(DURABLE_WAIT_S):
        raise LedgerUnavailable("the books cannot be written now, so not all corrections are made; repeat it")
