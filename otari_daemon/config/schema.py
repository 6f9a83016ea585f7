"""Every key of the configuration: its name, type, bounds, default, and whether a change needs a restart.

A field is a key. What a request uses can change while otari runs; a field marked `RESTART` is read once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from otari_daemon.config.secret import HashedSecret, Secret, SecretUrl
from otari_daemon.config.values import Each, Matches, Range
from otari_daemon.config.views import fingerprint
from otari_daemon.domain.limits import RATE_MAX
from otari_daemon.domain.money import Pico

RESTART: Final = MappingProxyType({"restart": True})
RATE: Final = MappingProxyType({"rate": "million"})
"""Marks a field of pico-USD per token, shown as dollars per million tokens."""

EACH: Final = MappingProxyType({"rate": "each"})
"""Marks a field of pico-USD per piece, shown as dollars."""

_PRINTABLE = r"[!-~]{1,4096}"
_HEADER = r"(?i)(?!(host|connection|content-length|transfer-encoding)$)[a-z0-9!#$%&'*+.^_`|~-]{1,128}"

Seconds = Annotated[float, Range(0.001, 86_400)]
Count = Annotated[int, Range(1, 1_000_000)]
Rate = Annotated[int, Range(1, RATE_MAX)]
Bytes = Annotated[int, Range(1_024, 1 << 30)]
FilePath = Annotated[str, Matches(r"[^\x00-\x1f\x7f]{1,4096}", "a path")]
Host = Annotated[str, Matches(r"[A-Za-z0-9.:_-]{1,253}", "a host name or address")]
Url = Annotated[
    str, Matches(r"https?://((?![@?#])[!-~]){1,2000}", "an http or https URL without credentials")
]
DatabaseUrl = Annotated[
    SecretUrl, Matches(r"(sqlite|postgres(ql)?)://[!-~]{1,2000}", "a sqlite:// or postgresql:// URL")
]
ProxyUrl = Annotated[
    SecretUrl, Matches(r"https?://((?![?#])[!-~]){1,2000}", "an http or https URL of a proxy")
]
Credential = Annotated[Secret, Matches(_PRINTABLE, "a secret of printable characters without spaces")]
MasterKey = Annotated[
    HashedSecret, Matches(r"[!-~]{16,4096}", "a secret of at least 16 printable characters without spaces")
]
HeaderName = Annotated[str, Matches(_HEADER, "a header name otari does not set itself")]
HeaderValue = Annotated[Secret, Matches(r"[ -~]{0,4096}", "printable text on one line")]
ModelName = Annotated[str, Matches(r"[A-Za-z0-9._:/@+-]{1,200}", "a model name")]
Selector = Annotated[
    str,
    Matches(r"[A-Za-z0-9._-]{1,64}[:/][A-Za-z0-9._:/@+-]{1,200}", "a model like provider:model"),
]
Priced = Annotated[
    str,
    Matches(
        r"[A-Za-z0-9._-]{1,64}[:/]([A-Za-z0-9._:/@+-]{1,200}|\*)",
        "a model like provider:model, or provider:* for all others of a provider",
    ),
]
ProviderName = Annotated[
    str, Matches(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "a name of letters, digits, dots and dashes")
]
AliasName = Annotated[
    str, Matches(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}", "a name without a colon or a slash")
]
PerPiece = Annotated[Pico, Each()]
ServiceTier = Annotated[str, Matches(r"[a-z][a-z0-9_-]{0,31}", "a service tier like priority")]
Multiplier = Annotated[float, Range(0.001, 1_000)]
"""What a service tier costs, times the plain price; counted in thousandths."""


def _none_of(*_: object) -> Mapping[Any, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long one attempt at a provider may take; seconds."""

    connect_s: Seconds = 3.0
    first_byte_s: Seconds = 60.0
    idle_s: Seconds = 60.0
    total_s: Seconds = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientArgs:
    """What is added to every request to a provider."""

    custom_headers: Mapping[HeaderName, HeaderValue] = field(default_factory=_none_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderLimits:
    """What all callers together may ask of one provider, before otari refuses with 429."""

    rpm: Rate | None = None
    tpm: Rate | None = None
    max_parallel: Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One provider instance; its `type` may be left out where its name is a known type."""

    type: str = field(default="", metadata={"also": "provider_type"})
    api_key: Credential | None = None
    api_base: Url | None = None
    timeouts: Timeouts = Timeouts()
    http_client: Literal["pooled", "httpx"] = "pooled"
    proxy: ProxyUrl | None = None
    ca_file: FilePath | None = None
    verify_tls: bool = True
    client_args: ClientArgs = field(default_factory=ClientArgs)
    limits: ProviderLimits = ProviderLimits()
    models: tuple[ModelName, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredRates:
    """Rates in pico-USD per unit; a class without one follows its plain class, or the tier below."""

    input_price_per_million: Pico | None = field(default=None, metadata=RATE)
    output_price_per_million: Pico | None = field(default=None, metadata=RATE)
    cache_read_price_per_million: Pico | None = field(default=None, metadata=RATE)
    cache_write_price_per_million: Pico | None = field(default=None, metadata=RATE)
    cache_write_1h_price_per_million: Pico | None = field(default=None, metadata=RATE)
    reasoning_price_per_million: Pico | None = field(default=None, metadata=RATE)
    audio_input_price_per_million: Pico | None = field(default=None, metadata=RATE)
    audio_output_price_per_million: Pico | None = field(default=None, metadata=RATE)
    image_input_price_per_million: Pico | None = field(default=None, metadata=RATE)
    image_output_price_per_million: Pico | None = field(default=None, metadata=RATE)
    characters_price_per_million: Pico | None = field(default=None, metadata=RATE)
    price_per_image: PerPiece | None = field(default=None, metadata=EACH)
    price_per_request: PerPiece | None = field(default=None, metadata=EACH)
    price_per_second: PerPiece | None = field(default=None, metadata=EACH)
    price_per_tool_call: PerPiece | None = field(default=None, metadata=EACH)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredTier(ConfiguredRates):
    """Rates for the whole of a request with at least so many prompt tokens."""

    min_input_tokens: Annotated[int, Range(1, 1 << 31)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredPrice(ConfiguredRates):
    """What one model costs, from one moment on."""

    input_price_per_million: Pico = field(metadata=RATE)
    output_price_per_million: Pico = field(metadata=RATE)
    pricing_tiers: tuple[ConfiguredTier, ...] = ()
    service_tiers: Mapping[ServiceTier, Multiplier] = field(default_factory=_none_of)
    effective_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """How the books are kept."""

    durability: Literal["before_response", "before_dispatch"] = "before_response"
    audit_s: Seconds = field(default=60.0, metadata=RESTART)
    nodes: Literal["single", "shared"] = field(default="single", metadata=RESTART)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what clients may send and on what is in flight."""

    header_timeout_s: Seconds = 10.0
    body_timeout_s: Seconds = 30.0
    keep_alive_s: Seconds = 30.0
    write_timeout_s: Seconds = 30.0
    max_requests_per_connection: Count = 1_000
    max_header_bytes: Bytes = 32 << 10
    max_header_line_bytes: Bytes = 16 << 10
    max_header_fields: Count = 100
    max_url_bytes: Bytes = 8 << 10
    max_body_bytes: Bytes = 20 << 20
    max_in_flight: Count = 1_000
    max_in_flight_per_key: Count = 64
    max_in_flight_per_user: Count | None = None
    max_in_flight_per_provider: Count = 256
    max_queued: Annotated[int, Range(0, 100_000)] = 200
    queue_wait_s: Seconds = 2.0
    max_throttled: Annotated[int, Range(0, 100_000)] = 200
    throttle_wait_s: Seconds = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """Requests and tokens per minute: of each key and each user without limits of their own, and in all."""

    key_rpm: Rate | None = None
    key_tpm: Rate | None = None
    user_tpm: Rate | None = None
    global_rpm: Rate | None = None
    global_tpm: Rate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One whole configuration, checked and complete; it never changes."""

    host: Host = field(default="127.0.0.1", metadata=RESTART)
    port: Annotated[int, Range(0, 65_535)] = field(default=8000, metadata=RESTART)
    database_url: DatabaseUrl | None = field(default=None, metadata=RESTART)
    state_dir: FilePath | None = field(default=None, metadata=RESTART)
    admin_socket: FilePath | None = field(default=None, metadata=RESTART)
    admin_uids: tuple[Annotated[int, Range(0, 2**32 - 2)], ...] = ()
    master_key: MasterKey | None = None
    bootstrap_api_key: bool = field(default=True, metadata=RESTART)
    mock: bool = True
    require_pricing: bool = True
    default_pricing: bool = True
    rate_limit_rpm: Rate | None = None
    rate_limits: RateLimits = RateLimits()
    stream_keep_alive_s: Seconds | None = 15.0
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    drain_timeout_s: Seconds = 90.0
    ledger: Ledger = Ledger()
    limits: Limits = Limits()
    providers: Mapping[ProviderName, Provider] = field(default_factory=_none_of)
    aliases: Mapping[AliasName, Selector] = field(default_factory=_none_of)
    pricing: Mapping[Priced, ConfiguredPrice] = field(default_factory=_none_of)

    @property
    def digest(self) -> str:
        """SHA-256 over every effective value, secrets by their own hash: what a generation is known by."""
        return fingerprint(self)
