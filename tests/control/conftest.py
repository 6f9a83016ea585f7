"""One world for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.control.world import Entropy, HandClock, World, opened


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Books with nothing in them."""
    async with opened(tmp_path / "otari.db", HandClock(), Entropy()) as made:
        yield made
