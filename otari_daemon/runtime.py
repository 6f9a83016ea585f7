"""The composition root: one configuration in, everything that serves it out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from otari_daemon.config.schema import Config, Provider, ProviderLimits
from otari_daemon.control.catalog import Catalog
from otari_daemon.control.default_prices import DefaultPrices
from otari_daemon.control.ledger import Ledger
from otari_daemon.control.local import LocalControlPlane
from otari_daemon.control.notes import Notes
from otari_daemon.control.prices import PriceList
from otari_daemon.control.seats import Seats
from otari_daemon.control.stated_prices import configured_prices
from otari_daemon.domain.limits import Caps, Limits
from otari_daemon.domain.pricing import Price, Rates
from otari_daemon.domain.records import request_id_of, rid_of
from otari_daemon.mock.bill import prices_pico
from otari_daemon.pipeline.gateway import Gateway
from otari_daemon.providers.http1.limits import PoolLimits, Timeouts
from otari_daemon.providers.pooled import PooledUpstream
from otari_daemon.providers.registry import KINDS, credential_headers
from otari_daemon.providers.upstream import Place, Upstream
from otari_daemon.providers.via_httpx import HttpxUpstream
from otari_daemon.store.store import Store
from otari_daemon.telemetry.clock import Clock
from otari_daemon.telemetry.randomness import RandomBytes

MOCK = "mock"
MOCK_MODELS = ("echo", "lorem")
"""What is listed of the mock; it serves more, with arguments."""


class UnknownProviderType(Exception):
    """A provider section whose type is not known and that does not say where it is."""


@dataclass(frozen=True, slots=True)
class Books:
    """What outlives every configuration: the ledger, the keys, and what just happened."""

    store: Store
    ledger: Ledger
    seats: Seats
    notes: Notes
    clock: Clock
    random: RandomBytes = field(default_factory=RandomBytes)

    def name_request(self) -> str:
        """A fresh request id; its bytes begin with the time, so that rows stay in order."""
        stamp = self.clock.now_ms().to_bytes(6, "big")
        return request_id_of(stamp + self.random.take(10))


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything built from one configuration."""

    config: Config
    catalog: Catalog
    plane: LocalControlPlane
    gateway: Gateway
    upstreams: Mapping[str, Upstream]

    async def aclose(self) -> None:
        """Close the providers' connections, whatever is still on them."""
        for upstream in self.upstreams.values():
            await upstream.aclose()


def build_runtime(config: Config, books: Books, mock_socket: Path | None, stored: Iterable[Price]) -> Runtime:
    """Build what serves `config`. `mock_socket` is where the built-in mock listens, if it does.

    Raises UnknownProviderType.
    """
    upstreams = {place.name: _upstream(place) for place in _places(config, mock_socket)}
    prices = PriceList(stored, configured_prices(config), _mock_price())
    served = {name: provider.models for name, provider in config.providers.items()}
    if mock_socket is not None:
        served.setdefault(MOCK, MOCK_MODELS)
    otherwise = None if config.require_pricing else Rates.of()
    known = DefaultPrices.bundled if config.default_pricing else DefaultPrices.none
    defaults = known(otherwise)
    catalog = Catalog(upstreams, config.aliases, served, prices, defaults, _request_limits(config))
    plane = LocalControlPlane(
        books.seats,
        catalog,
        books.ledger,
        books.notes,
        books.clock,
        rid_of,
        before_dispatch=config.ledger.durability == "before_dispatch",
    )
    gateway = Gateway(plane, books.clock.monotonic_ns, config.stream_keep_alive_s)
    return Runtime(config, catalog, plane, gateway, upstreams)


def _request_limits(config: Config) -> Limits:
    limits, rates = config.limits, config.rate_limits
    return Limits(
        limits.max_in_flight,
        key=Caps(rates.key_rpm, rates.key_tpm, limits.max_in_flight_per_key),
        user=Caps(config.rate_limit_rpm, rates.user_tpm, limits.max_in_flight_per_user),
        everybody=Caps(rates.global_rpm, rates.global_tpm),
        providers={
            name: Caps(own.rpm, own.tpm, own.max_parallel)
            for name, own in ((name, provider.limits) for name, provider in config.providers.items())
            if own != ProviderLimits()
        },
        throttled=limits.max_throttled,
        throttle_wait_s=limits.throttle_wait_s,
    )


def _upstream(place: Place) -> Upstream:
    return HttpxUpstream(place) if place.via_httpx else PooledUpstream(place)


def _places(config: Config, mock_socket: Path | None) -> Iterator[Place]:
    for name, provider in config.providers.items():
        yield _place(name, provider, config)
    if mock_socket is not None and MOCK not in config.providers:
        speaks = KINDS[MOCK].speaks
        yield Place(MOCK, MOCK, f"unix:{mock_socket}:/v1", limits=_pool_limits(config), speaks=speaks)


def _place(name: str, provider: Provider, config: Config) -> Place:
    kind = KINDS.get(provider.type)
    base_url = provider.api_base or (kind.base_url if kind else None)
    if kind is None or base_url is None:
        raise UnknownProviderType(
            f"provider {name!r}: type {provider.type!r} is not known, or needs api_base; "
            f"known types: {', '.join(sorted(KINDS))}"
        )
    key = provider.api_key.reveal() if provider.api_key else None
    custom = tuple(
        (header.lower().encode(), value.reveal().encode())
        for header, value in provider.client_args.custom_headers.items()
    )
    waits = provider.timeouts
    return Place(
        name=name,
        type=provider.type,
        base_url=base_url,
        headers=credential_headers(kind, key) + custom,
        defaults=kind.headers,
        timeouts=Timeouts(waits.connect_s, waits.first_byte_s, waits.idle_s, waits.total_s),
        limits=_pool_limits(config),
        output_limit_field=kind.output_limit_field,
        needs_limit=kind.needs_limit,
        speaks=kind.speaks,
        ca_file=provider.ca_file,
        verify_tls=provider.verify_tls,
        via_httpx=provider.http_client == "httpx",
        proxy=provider.proxy,
    )


def _pool_limits(config: Config) -> PoolLimits:
    limits = config.limits
    return PoolLimits(
        connections=limits.max_in_flight_per_provider,
        waiters=limits.max_queued,
        queue_s=limits.queue_wait_s,
    )


def _mock_price() -> list[Price]:
    rates = prices_pico()
    return [
        Price(
            f"{MOCK}:*",
            Rates.of(input=rates.input, cache_read=rates.cached_input, output=rates.output),
            0,
            "mock",
        )
    ]
