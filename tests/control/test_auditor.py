"""The auditor in the daemon's hands: it counts its proofs, and ends the ledger only for what is certain."""

from __future__ import annotations

import sqlite3

import pytest

from otari_daemon.protocol.messages import KeyCreate
from otari_daemon.store.errors import LedgerCorrupt
from tests.control.world import ACTOR, WAIT_S, World


def tamper(world: World, statement: str) -> None:
    """Change the rows behind the daemon's back."""
    with sqlite3.connect(world.path, timeout=WAIT_S) as con:
        con.execute(statement)
    con.close()


@pytest.fixture
async def spent(world: World) -> World:
    """A world with a settled request."""
    made = await world.ops.create_key(KeyCreate("ci", budget="5"), ACTOR, dry_run=False)
    await world.spend(made.key, 7)
    return world


async def test_clean_walks_are_counted_and_told(spent: World) -> None:
    before = await spent.ops.status()

    await spent.ledger.auditor.step()
    await spent.ledger.auditor.step()

    after = await spent.ops.status()
    assert (before.audits, before.audited_s_ago) == (0, None)
    assert after.audits == 2
    assert after.audited_s_ago is not None


async def test_a_confirmed_contradiction_names_the_row(spent: World) -> None:
    tamper(spent, "UPDATE balance SET posted_n = posted_n + 1")

    with pytest.raises(LedgerCorrupt, match="balance 1 of period"):
        await spent.ledger.auditor.step()


async def test_a_suspicion_that_the_whole_proof_does_not_share_starts_a_new_walk(spent: World) -> None:
    """A hold that no walk meets, since the clock was set back when it was opened, is not a contradiction."""
    tamper(spent, "UPDATE hold SET created_ms = -5")

    await spent.ledger.auditor.step()

    assert spent.ledger.auditor.proven == 0
    tamper(spent, "UPDATE hold SET created_ms = 5")
    await spent.ledger.auditor.step()
    assert spent.ledger.auditor.proven == 1
