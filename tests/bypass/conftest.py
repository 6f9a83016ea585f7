"""The one daemon of this folder, the provider with long prompts, and a client for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bypass.long_context import LongContext
from tests.bypass.world import Bypass, Client


@pytest.fixture(scope="session")
def long_context() -> Iterator[LongContext]:
    """A provider that counts long prompts dearer."""
    with LongContext() as provider:
        yield provider


@pytest.fixture(scope="session")
def bypass(long_context: LongContext) -> Iterator[Bypass]:
    """The daemon everything here tries to cheat; at the end its books must prove themselves."""
    made = Bypass(long_context.url)
    try:
        made.start()
        yield made
        made.quiet()
        made.verified()
    finally:
        made.stop()


@pytest.fixture
def client(bypass: Bypass, request: pytest.FixtureRequest) -> Client:
    """A caller of the test's own."""
    return Client(bypass, request.node.name[:200])
