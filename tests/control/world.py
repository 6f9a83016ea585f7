"""A small daemon without its sockets: store, book, seats and plane on the running loop, time by hand."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from otari_daemon.control.actor import Actor
from otari_daemon.control.catalog import Catalog
from otari_daemon.control.default_prices import DefaultPrices
from otari_daemon.control.ledger import Ledger
from otari_daemon.control.local import LocalControlPlane
from otari_daemon.control.notes import Note, Notes
from otari_daemon.control.operations import DaemonFacts, LocalOperations
from otari_daemon.control.plane import Admission, Caller, Ending
from otari_daemon.control.prices import PriceList
from otari_daemon.control.refusal_log import RefusalLog
from otari_daemon.control.seats import Seats
from otari_daemon.domain.intent import Intent
from otari_daemon.domain.limits import Caps, Limits
from otari_daemon.domain.pricing import Price, Rates
from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption
from otari_daemon.domain.usage import Usage
from otari_daemon.providers.upstream import Upstream
from otari_daemon.rest.operations import Operations
from otari_daemon.store import budgets, freezes, keys, users
from otari_daemon.store import limits as caps
from otari_daemon.store.store import Store
from otari_daemon.telemetry.activity import Activity

START_MS = 1_750_000_000_000
"""2025-06-15T15:06:40Z, a Sunday."""
DAY_MS = 86_400_000
WAIT_S = 10.0
CHAT = "/v1/chat/completions"
ACTOR = Actor(pid=4321, uid=1000, reason="because")
DOLLAR = 1_000_000_000
PRICE = Price("up:model", Rates.of(input=1_000_000, output=1_000_000), 0, "test", None, None)
"""$1 per million tokens: a thousand nano-USD for each."""
LIMITS = Limits(in_flight=1000, key=Caps(parallel=64))


class HandClock:
    """Time that moves when it is told to."""

    def __init__(self) -> None:
        self.ms = START_MS

    def now_ms(self) -> int:
        return self.ms

    def monotonic_ns(self) -> int:
        return self.ms * 1_000_000


class Entropy:
    """Bytes that never repeat, and are the same in every run."""

    def __init__(self) -> None:
        self.drawn = 0

    def __call__(self, count: int) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(4, "big") * (count // 4) + b"\0" * (count % 4)


@dataclass
class Place:
    """Where a provider is, and what it speaks."""

    base_url: str
    speaks: frozenset[str] = frozenset({"chat"})
    output_limit_field: str = "max_tokens"
    needs_limit: bool = False


@dataclass
class FakeUpstream:
    """A provider as far as the catalog looks at it."""

    name: str
    type: str = "openai"
    mock: bool = False
    place: Place = field(default_factory=lambda: Place("https://user:hidden@api.example/v1?key=hidden"))


@dataclass
class World:
    """Everything the tests touch."""

    path: Path
    store: Store
    seats: Seats
    ledger: Ledger
    activity: Activity[Note]
    clock: HandClock
    catalog: Catalog
    plane: LocalControlPlane
    ops: Operations
    stopped: asyncio.Event
    entropy: Entropy
    closed: bool = False

    async def caller(self, secret: str | None) -> Caller:
        """Who presents a secret; raises as for any request."""
        assert secret is not None
        return await self.plane.authenticate(secret.encode(), self.name_request(), CHAT)

    async def admit(self, secret: str | None, tokens: int, model: str = "up:model") -> Admission:
        """Admit a request that can cost `tokens` thousand nano-USD, on the caller's own turn."""
        intent = Intent(model, False, tokens - 1, tokens - 1, 1)
        caller = await self.caller(secret)
        return await self.plane.admit(caller, intent, self.name_request(), CHAT)

    async def settle(self, admission: Admission, tokens: int, status: int = 200) -> None:
        """Settle at what `tokens` cost, and wait until that is on disk."""
        seen = Consumption(Usage(input=tokens))
        answered_ns = admission.grant.started_ns + 1_500_000
        ticket = self.plane.settle(admission, Ending(Reason.USAGE, seen, status, answered_ns))
        assert await ticket.wait(WAIT_S)

    async def spend(self, secret: str | None, tokens: int) -> None:
        """Make one request that costs `tokens` thousand nano-USD."""
        await self.settle(await self.admit(secret, tokens), tokens)

    def name_request(self) -> str:
        """A request id whose bytes begin with the time."""
        return "req_" + (self.clock.ms.to_bytes(6, "big") + self.entropy(12)[:10]).hex()

    def dump(self) -> list[str]:
        """The whole database as text."""
        with sqlite3.connect(f"file:{self.path}?mode=ro", uri=True) as con:
            dumped = list(con.iterdump())
        con.close()
        return dumped

    async def close(self) -> None:
        """Let the database go, once."""
        if not self.closed:
            self.closed = True
            assert await self.store.close(WAIT_S)

    def memory(self) -> object:
        """What memory knows that an operator can change."""
        accounts = {id: repr(account) for id, account in self.ledger.book.accounts.items()}
        seats = sorted(repr((seat.key, seat.user)) for seat in self.seats._by_id.values())
        caps, frozen = dict(self.seats._caps), dict(self.seats.frozen)
        return accounts, seats, dict(self.seats.accounts_of), dict(self.seats.users), frozen, caps


@asynccontextmanager
async def opened(
    path: Path, clock: HandClock, entropy: Entropy, limits: Limits = LIMITS
) -> AsyncIterator[World]:
    """A daemon's books, opened as the daemon opens them."""
    store = Store.open(f"sqlite:///{path}", now_ms=clock.ms, spare_bytes=0)
    epoch = store.begin_epoch()
    store.recover(epoch, clock.ms)
    book = store.load_book(epoch)
    seats = Seats(book)
    seats.set_caps(store.read_now(caps.everything))
    stored = [each.key for each in store.read_now(keys.everything)]
    seats.load(
        stored,
        store.read_now(users.everything),
        store.read_now(budgets.assignments),
        store.read_now(freezes.everything),
    )
    loop = asyncio.get_running_loop()
    store.start(loop)
    made = _composed(path, clock, entropy, store, seats, Ledger(book, store, loop), limits)
    try:
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def reopened(world: World) -> AsyncIterator[World]:
    """The next daemon on the same database, which the last one has left."""
    await world.close()
    async with opened(world.path, world.clock, world.entropy) as later:
        yield later


def _composed(
    path: Path,
    clock: HandClock,
    entropy: Entropy,
    store: Store,
    seats: Seats,
    ledger: Ledger,
    limits: Limits,
) -> World:
    upstreams: dict[str, Any] = {"up": FakeUpstream("up"), "fake": FakeUpstream("fake", "mock", mock=True)}
    prices = PriceList([], [PRICE, Price("fake:*", Rates.of(input=500_000), 0, "mock", 8192)])
    served = {"up": ("model", "unpriced"), "fake": ("echo",)}
    catalog = Catalog(
        cast("dict[str, Upstream]", upstreams),
        {"fast": "up:model"},
        served,
        prices,
        DefaultPrices.none(),
        limits,
    )
    activity: Activity[Note] = Activity()
    notes = Notes(activity, clock, RefusalLog(store))
    plane = LocalControlPlane(
        seats,
        catalog,
        ledger,
        notes,
        clock,
        lambda request_id: bytes.fromhex(request_id[4:]),
        before_dispatch=False,
    )
    stopped = asyncio.Event()
    facts = DaemonFacts(
        clock.monotonic_ns(), "digest", None, "http://127.0.0.1:8000", "/a.sock", "sqlite:///x"
    )
    ops = LocalOperations(store, seats, ledger, notes, clock, entropy, lambda: catalog, facts, stopped.set)
    return World(path, store, seats, ledger, activity, clock, catalog, plane, ops, stopped, entropy)
