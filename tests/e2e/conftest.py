"""Daemons for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.machine import Machine
from tests.e2e.managing import MASTER_KEY, client


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """One daemon for a whole module of tests that do not disturb each other."""
    made = Machine()
    try:
        made.start()
        yield made
        made.quiet()
        made.verified()
    finally:
        made.stop()


@pytest.fixture
def fresh_machine() -> Iterator[Machine]:
    """A daemon of one's own, to kill or to fill."""
    made = Machine()
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def managed() -> Iterator[Machine]:
    """One daemon with a master key for a whole module."""
    made = Machine(master_key=MASTER_KEY, aliases={"fast": "up:echo"})
    try:
        made.start()
        yield made
        made.quiet()
        made.verified()
    finally:
        made.stop()


@pytest.fixture
def master(managed: Machine) -> Iterator[httpx.Client]:
    """The operator at the public port."""
    with client(managed) as asking:
        yield asking
