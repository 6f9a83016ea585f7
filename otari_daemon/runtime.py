"""The composition root: one configuration in, everything that serves it out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from otari_daemon.config.schema import Config, ConfiguredPrice, Provider
from otari_daemon.control.catalog import Catalog
from otari_daemon.control.default_prices import DefaultPrices
from otari_daemon.control.ledger import Ledger
from otari_daemon.control.local import LocalControlPlane
from otari_daemon.control.notes import Notes
from otari_daemon.control.prices import PriceList
from otari_daemon.control.seats import Seats
from otari_daemon.domain.limits import Limits
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

    def name_request(self) -> str:
        """A fresh request id; its bytes begin with the time, so that rows stay in order."""
        stamp = self.clock.now_ms().to_bytes(6, "big")
        return request_id_of(stamp + os.urandom(10))


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
    prices = PriceList(stored, _configured_prices(config), _mock_price())
    served = {name: provider.models for name, provider in config.providers.items()}
    if mock_socket is not None:
        served.setdefault(MOCK, MOCK_MODELS)
    otherwise = None if config.require_pricing else Rates.of()
    known = DefaultPrices.bundled if config.default_pricing else DefaultPrices.none
    defaults = known(otherwise)
    catalog = Catalog(upstreams, config.aliases, served, prices, defaults)
    plane = LocalControlPlane(
        books.seats,
        catalog,
        books.ledger,
        books.notes,
        books.clock,
        rid_of,
        limits=request_limits(config),
        before_dispatch=config.ledger.durability == "before_dispatch",
    )
    return Runtime(config, catalog, plane, Gateway(plane, books.clock.monotonic_ns), upstreams)


def request_limits(config: Config) -> Limits:
    """How many requests a configuration lets be made."""
    limits = config.limits
    return Limits(limits.max_in_flight, limits.max_in_flight_per_key, config.rate_limit_rpm)


def _upstream(place: Place) -> Upstream:
    return HttpxUpstream(place) if place.via_httpx else PooledUpstream(place)


def _places(config: Config, mock_socket: Path | None) -> Iterator[Place]:
    for name, provider in config.providers.items():
        yield _place(name, provider, config)
    if mock_socket is not None and MOCK not in config.providers:
        yield Place(MOCK, MOCK, f"unix:{mock_socket}:/v1", limits=_pool_limits(config))


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
        timeouts=Timeouts(waits.connect_s, waits.first_byte_s, waits.idle_s, waits.total_s),
        limits=_pool_limits(config),
        output_limit_field=kind.output_limit_field,
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


def _configured_prices(config: Config) -> Iterator[Price]:
    for name, price in config.pricing.items():
        canonical = name if ":" in name else name.replace("/", ":", 1)
        effective = price.effective_at
        effective_ms = 0 if effective is None else round(effective.timestamp() * 1000)
        yield Price(canonical, _rates(price), effective_ms, "config")


def _rates(price: ConfiguredPrice) -> Rates:
    stated = {
        "input": price.input_price_per_million,
        "output": price.output_price_per_million,
        "cache_read": price.cache_read_price_per_million,
        "cache_write": price.cache_write_price_per_million,
        "reasoning": price.reasoning_price_per_million,
        "audio_input": price.audio_input_price_per_million,
        "audio_output": price.audio_output_price_per_million,
    }
    return Rates.of(**{name: rate for name, rate in stated.items() if rate is not None})
