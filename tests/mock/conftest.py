"""A mock served in the test's own loop, and one in a thread for clients that block."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio
import uvloop
from anthropic import Anthropic, AsyncAnthropic
from openai import AsyncOpenAI, OpenAI

from otari_daemon.mock import MockServer, Sources, serve
from tests.mock.mock_in_thread import NOW_S, ThreadedMock
from tests.mock.mock_raw_client import Raw


@pytest_asyncio.fixture
async def mock() -> AsyncIterator[MockServer]:
    """A mock on a free port, in this loop."""
    server = await serve(0, sources=Sources(lambda: NOW_S, time.monotonic_ns, count(1)))
    yield server
    await server.close()


@pytest.fixture
def threaded() -> Iterator[ThreadedMock]:
    """A mock in a thread, on asyncio's own loop."""
    mock = ThreadedMock(0)
    mock.start(asyncio.new_event_loop)
    yield mock
    mock.stop()


@pytest.fixture
def patient() -> Iterator[ThreadedMock]:
    """A mock whose patience is a quarter of a second."""
    mock = ThreadedMock(0, patience_s=0.25)
    mock.start(asyncio.new_event_loop)
    yield mock
    mock.stop()


@pytest.fixture
def client(threaded: ThreadedMock) -> Raw:
    """A connection to `threaded`."""
    return threaded.connect()


@pytest.fixture(params=["asyncio", "uvloop", "unix"])
def any_mock(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ThreadedMock]:
    """A mock on each of the loops and kinds of socket it runs on."""
    mock = ThreadedMock(tmp_path / "mock.sock" if request.param == "unix" else 0)
    mock.start(asyncio.new_event_loop if request.param == "asyncio" else uvloop.new_event_loop)
    yield mock
    mock.stop()


@pytest_asyncio.fixture
async def sdk(mock: MockServer) -> AsyncIterator[AsyncOpenAI]:
    """OpenAI's client of `mock`, which tries once."""
    async with AsyncOpenAI(base_url=mock.address, api_key="unused", max_retries=0) as client:
        yield client


@pytest_asyncio.fixture
async def claude(mock: MockServer) -> AsyncIterator[AsyncAnthropic]:
    """Anthropic's client of `mock`, which tries once."""
    base_url = mock.address.removesuffix("/v1")
    async with AsyncAnthropic(base_url=base_url, api_key="unused", max_retries=0) as client:
        yield client


@pytest.fixture
def blocking_sdk(threaded: ThreadedMock) -> Iterator[OpenAI]:
    """OpenAI's blocking client of `threaded`."""
    with OpenAI(base_url=threaded.address, api_key="unused", max_retries=0) as client:
        yield client


@pytest.fixture
def blocking_claude(threaded: ThreadedMock) -> Iterator[Anthropic]:
    """Anthropic's blocking client of `threaded`."""
    base_url = threaded.address.removesuffix("/v1")
    with Anthropic(base_url=base_url, api_key="unused", max_retries=0) as client:
        yield client
