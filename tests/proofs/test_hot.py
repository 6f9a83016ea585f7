"""A budget under a rush admits exactly what fits."""

from __future__ import annotations

from pathlib import Path

from otari_daemon.store.verify import verify
from tests.control.world import Entropy, HandClock, opened
from tests.proofs.hot import LIMITS, hot


async def test_2000_at_once_on_a_key_with_room_for_1000_admit_1000(tmp_path: Path) -> None:
    async with opened(tmp_path / "hot.db", HandClock(), Entropy(), LIMITS) as world:
        found = await hot(world, "hot")

        assert found.exact, found[:3]
        assert world.store.read_now(verify).clean
