"""The daemon's life: open the books, listen, serve, drain, stop. Owns signals and both servers."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import uvicorn

from otari_daemon.admin.app import create_admin_app
from otari_daemon.api.app import UPLOADS, Edge, create_app
from otari_daemon.api.forms import FORM_OVERHEAD_BYTES
from otari_daemon.config.paths import Places
from otari_daemon.config.schema import Config
from otari_daemon.control.changes import Changes
from otari_daemon.control.ledger import Ledger
from otari_daemon.control.notes import Notes
from otari_daemon.control.operations import DaemonFacts, LocalOperations, bootstrap
from otari_daemon.control.refusal_log import RefusalLog
from otari_daemon.control.seats import Seats
from otari_daemon.control.sharing import Sharing
from otari_daemon.control.watchdog import Watchdog
from otari_daemon.domain.shared_book import SharedBook
from otari_daemon.front.limits import FrontLimits
from otari_daemon.front.protocol import protocol_class
from otari_daemon.mock.server import serve as serve_mock
from otari_daemon.runtime import Books, Runtime, build_runtime
from otari_daemon.sockets import BACKLOG, bind_admin, bind_public
from otari_daemon.store import budgets, freezes, keys, limits, nodes, prices, users
from otari_daemon.store.errors import StoreError, StoreUnavailable
from otari_daemon.store.shared_store import SharedStore
from otari_daemon.store.store import Store
from otari_daemon.telemetry.activity import Activity
from otari_daemon.telemetry.clock import SystemClock

MEND_S = 30.0
TICK_S = 1.0
FORGET_S = 60.0
STORE_CLOSE_S = 10.0
GC_THRESHOLDS = (50_000, 20, 20)
AFTER_DRAIN_S = 2.0
"""What answers that outlast the drain get to say that they were broken off."""

_log = logging.getLogger("otari.daemon")


class Started(NamedTuple):
    """What there is to tell once both sockets listen."""

    listen: str
    admin_socket: Path
    bootstrap_key: str | None
    mock: bool


class _Server(uvicorn.Server):
    """One of two servers in one loop: signals belong to the daemon."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and tell."""
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


class Daemon:
    """One gateway process."""

    def __init__(self, config: Config, source: str | None, places: Places) -> None:
        self._config = config
        self._source = source
        self._places = places
        self._clock = SystemClock()
        self._started_ns = self._clock.monotonic_ns()
        self._draining = False
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()

    async def run(self, announce: Callable[[Started], None]) -> None:
        """Serve until a signal or `POST /shutdown`. Raises StoreError, CannotListen, UnknownProviderType."""
        async with AsyncExitStack() as stack:
            public_socket = stack.enter_context(bind_public(self._config.host, self._config.port))
            admin_path = self._places.admin_socket
            admin_socket = stack.enter_context(bind_admin(admin_path))
            stack.callback(admin_path.unlink, missing_ok=True)
            books, secret = self._open_books()
            stack.push_async_callback(books.store.close, STORE_CLOSE_S)
            mock_path = await self._start_mock(stack)
            stored = books.store.read_now(prices.everything)
            runtime = build_runtime(self._config, books, mock_path, stored)
            stack.push_async_callback(runtime.aclose)
            if books.ledger.sharing is not None:
                catalog = runtime.catalog
                books.ledger.sharing.changes.on_prices = catalog.take_prices
            operations = self._operations(runtime, books, public_socket)
            public = self._public_server(runtime, books, operations)
            admin = self._admin_server(operations)
            self._own_signals()
            told = Started(_shown(public_socket), admin_path, secret, mock_path is not None)
            await self._serve(
                public, public_socket, admin, admin_socket, runtime, books, lambda: announce(told)
            )

    def _open_books(self) -> tuple[Books, str | None]:
        """Open, recover and load the ledger; make the first key if there is none."""
        now_ms = self._clock.now_ms()
        store = _store_class(self._config).open(self._places.database_url.reveal(), now_ms=now_ms)
        epoch = store.begin_epoch()
        recovered = store.recover(epoch, now_ms)
        if recovered:
            _log.warning("closed %d holds that an earlier daemon left open", len(recovered))
        secret = bootstrap(store, os.urandom, now_ms) if self._config.bootstrap_api_key else None
        known = store.read_now(nodes.generation) if isinstance(store, SharedStore) else 0
        book = store.load_book(epoch)
        loop = asyncio.get_running_loop()
        seats = Seats(book)
        seats.set_caps(store.read_now(limits.everything))
        seats.load(
            [stored.key for stored in store.read_now(keys.everything)],
            store.read_now(users.everything),
            store.read_now(budgets.assignments),
            store.read_now(freezes.everything),
        )
        store.start(loop)
        notes = Notes(Activity(), self._clock, RefusalLog(store))
        ledger = Ledger(book, store, loop)
        if isinstance(store, SharedStore) and isinstance(book, SharedBook):
            changes = Changes(store, book, seats, known)
            ledger.sharing = Sharing(store, book, ledger, changes, self._clock)
        return Books(store, ledger, seats, notes, self._clock), secret

    async def _start_mock(self, stack: AsyncExitStack) -> Path | None:
        if not self._config.mock:
            return None
        path = self._places.admin_socket.with_name("mock.sock")
        server = await serve_mock(path)
        stack.push_async_callback(server.close)
        return path

    def _public_server(self, runtime: Runtime, books: Books, operations: LocalOperations) -> _Server:
        edge = Edge(
            gateway=lambda: runtime.gateway,
            models_for=LocalOperations.public_models(lambda: runtime.catalog, self._clock),
            ready=lambda: books.ledger.available and not self._draining,
            name_request=books.name_request,
            operations=operations,
            config=lambda: runtime.config,
            monotonic_ns=self._clock.monotonic_ns,
        )
        return _server(create_app(edge), _front_limits(self._config), self._config.drain_timeout_s)

    def _operations(self, runtime: Runtime, books: Books, public_socket: socket.socket) -> LocalOperations:
        facts = DaemonFacts(
            started_ns=self._started_ns,
            config_digest=self._config.digest,
            config_source=self._source,
            listen=_shown(public_socket),
            admin_socket=str(self._places.admin_socket),
            database=str(self._places.database_url),
        )
        return LocalOperations(
            books.store,
            books.seats,
            books.ledger,
            books.notes,
            self._clock,
            os.urandom,
            lambda: runtime.catalog,
            facts,
            self._stop.set,
        )

    def _admin_server(self, operations: LocalOperations) -> _Server:
        app = create_admin_app(operations, self._config.admin_uids)
        return _server(app, FrontLimits(requests_per_connection=1_000_000), AFTER_DRAIN_S)

    async def _serve(
        self,
        public: _Server,
        public_socket: socket.socket,
        admin: _Server,
        admin_socket: socket.socket,
        runtime: Runtime,
        books: Books,
        ready: Callable[[], None],
    ) -> None:
        serving = asyncio.create_task(public.serve([public_socket]))
        administering = asyncio.create_task(admin.serve([admin_socket]))
        auditing = books.ledger.auditor.run(self._config.ledger.audit_s)
        sharing = books.ledger.sharing
        together = [] if sharing is None else [sharing.run()]
        ticking = asyncio.gather(_tick(books, runtime), _forget(books), auditing, *together)
        mending = asyncio.create_task(_mend_reports(books))
        ticking.add_done_callback(lambda _: self._stop.set())  # without its upkeep a daemon stops
        await asyncio.gather(public.listening.wait(), admin.listening.wait())
        _calm_collector()
        ready()
        await self._stop.wait()
        await self._drain(public, serving, runtime)
        admin.should_exit = True
        await administering
        if ticking.done():
            ticking.result()  # raises what ended the upkeep
        ticking.cancel()
        mending.cancel()
        await asyncio.wait({mending})
        await books.notes.refusals.flush()
        if sharing is not None:
            await sharing.leave()

    async def _drain(self, public: _Server, serving: asyncio.Task[None], runtime: Runtime) -> None:
        """Refuse new connections, let answers finish, break off what outlasts the drain."""
        self._draining = True
        public.should_exit = True
        hurry = asyncio.create_task(self._hurry.wait())
        await asyncio.wait(
            {serving, hurry}, timeout=self._config.drain_timeout_s, return_when="FIRST_COMPLETED"
        )
        hurry.cancel()
        if not serving.done():
            for upstream in runtime.upstreams.values():
                upstream.break_off()
        await serving

    def _own_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._on_stop_signal)

    def _on_stop_signal(self) -> None:
        """The first drains, the second hurries."""
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()


def _calm_collector() -> None:
    """Look for cycles seldom, and never among what lives as long as the daemon: saves a fifth of the CPU."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


async def _forget(books: Books) -> None:
    """Once a minute until cancelled: idempotency keys that are older than a day."""
    while True:
        await asyncio.sleep(FORGET_S)
        with contextlib.suppress(StoreUnavailable):  # they can wait
            await books.ledger.claims.expire(books.clock.now_ms())


async def _tick(books: Books, runtime: Runtime) -> None:
    """Once a second until cancelled: progress, refusals and uses of keys to disk, and a look at its space.

    Ends the daemon by raising when the ledger has stopped for good.
    """
    watchdog = Watchdog(books.ledger, books.clock.monotonic_ns)
    while True:
        await asyncio.sleep(TICK_S)
        books.ledger.checkpoint()
        watchdog.look(runtime.plane.settle)
        books.ledger.meters.sweep(books.clock.monotonic_ns())
        await books.notes.refusals.flush()
        books.store.check_space(len(books.ledger.book.open_holds))
        if books.store.failure is not None:
            raise books.store.failure
        uses = [keys.KeyUse(*use) for use in books.seats.unnoted_uses()]
        if uses:
            with contextlib.suppress(StoreUnavailable):  # the next use is noted again
                await books.store.write(keys.touch, uses)


async def _mend_reports(books: Books) -> None:
    """Build what reports are made of anew whenever it was left behind, until cancelled."""
    while True:
        with contextlib.suppress(StoreError):  # the disk is in need; the ledger says so where it matters
            if books.store.available and await books.store.usage_cells_stale():
                await books.store.rebuild_usage()
        await asyncio.sleep(MEND_S)


def _store_class(config: Config) -> type[Store]:
    return SharedStore if config.ledger.nodes == "shared" else Store


def _server(app: object, limits: FrontLimits, drain_s: float) -> _Server:
    return _Server(
        uvicorn.Config(
            app,  # type: ignore[arg-type]  # an ASGI callable
            http=protocol_class(limits),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=round(drain_s + AFTER_DRAIN_S),
        )
    )


def _front_limits(config: Config) -> FrontLimits:
    limits = config.limits
    return FrontLimits(
        head_bytes=limits.max_header_bytes,
        field_count=limits.max_header_fields,
        line_bytes=limits.max_header_line_bytes,
        target_bytes=limits.max_url_bytes,
        body_bytes=limits.max_body_bytes,
        body_bytes_by_prefix=tuple(
            (prefix + upload.endpoint, upload.files_bytes_max + FORM_OVERHEAD_BYTES)
            for upload in UPLOADS
            for prefix in ("", "/api")
        ),
        requests_per_connection=limits.max_requests_per_connection,
        head_s=limits.header_timeout_s,
        body_s=limits.body_timeout_s,
        idle_s=limits.keep_alive_s,
        write_s=limits.write_timeout_s,
    )


def _shown(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
