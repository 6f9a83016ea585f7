"""Limits on requests: what is refused, in which order, and that nothing of a limit ever leaks."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from otari_daemon.control.plane import Admission, Ending
from otari_daemon.domain.book import HoldClosedTwice
from otari_daemon.domain.errors import (
    BudgetExceeded,
    GatewayError,
    LedgerUnavailable,
    ModelNotAllowed,
    NotFound,
    RateLimited,
    UnpricedModel,
    UserBlocked,
)
from otari_daemon.domain.limits import Limits, Standing
from otari_daemon.domain.records import Reason
from otari_daemon.protocol.messages import CreateKey, UpdateUser
from tests.control.world import ACTOR, START_MS, Entropy, HandClock, World, opened

START_S = START_MS // 1000
Opener = Callable[[Limits], AbstractAsyncContextManager[World]]


@pytest.fixture
def limited(tmp_path: Path) -> Opener:
    """Opens a world under limits of the test's choice."""
    return lambda limits: opened(tmp_path / "otari.db", HandClock(), Entropy(), limits)


@pytest.fixture
async def paced(limited: Opener) -> AsyncIterator[World]:
    """A world with three requests per minute and user, and two in flight per key."""
    async with limited(Limits(1000, 2, 3)) as world:
        yield world
