"""The daemon itself: what it serves, how it is, the proof of its books."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that can be asked for, and its price per million tokens; None where it has none."""

    id: str
    provider: str
    owned_by: str
    created: int
    pricing_source: str
    input_usd_per_million: str | None = None
    output_usd_per_million: str | None = None
    cache_read_usd_per_million: str | None = None
    context_window: int | None = None
    mock: bool = False


@dataclass(frozen=True, slots=True)
class ProviderInfo:
    """A configured provider: its own name, the format it speaks, and where."""

    name: str
    type: str
    base_url: str | None = None
    mock: bool = False


@dataclass(frozen=True, slots=True)
class InFlight:
    """How many requests a holder has in flight."""

    holder: str
    requests: int


@dataclass(frozen=True, slots=True)
class Status:
    """The daemon, its configuration and its books now; `ledger_backlog` counts unwritten operations.

    `hold_leaks` counts holds that only the watchdog closed. The auditor has proven the books `audits` times,
    last `audited_s_ago`.
    `busiest` are the keys, users and providers with most in flight.
    """

    version: str
    protocol: str
    pid: int
    uptime_s: float
    generation: int
    config_digest: str
    config_source: str | None
    listen: str
    admin_socket: str
    database: str
    ledger_available: bool
    ledger_backlog: int
    in_flight: int
    open_holds: int
    held_usd: str
    requests_total: int
    providers: tuple[ProviderInfo, ...]
    mock: bool
    hold_leaks: int = 0
    audits: int = 0
    audited_s_ago: float | None = None
    busiest: tuple[InFlight, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A row that contradicts an invariant of the books."""

    row: str
    invariant: str
    message: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """Whether the books agree with themselves: how much was read, in how many ms, and what was off."""

    ok: bool
    holds: int
    balances: int
    checked_ms: int
    findings: tuple[Finding, ...] = ()
    corrections: int = 0
