"""Twenty kills under load leave the books exact; `make kill9 N=500` for more."""

from __future__ import annotations

import pytest

from tests.e2e.kill9 import run


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_twenty_kills_leave_nothing_lost_and_nothing_wrong():
    assert run(cycles=20, seed=7) == 0
