"""Every question and answer of the admin protocol.

Amounts are decimal strings of dollars (`*_usd`); where the predecessor had a float it rides along.
Times are RFC 3339 strings in UTC with milliseconds and a `Z`. Ids are opaque. A field added after
protocol version 1 has a default, so an older peer is still understood.

Annotations are real objects here (no `from __future__ import annotations`): `codec` reads them.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal


class Unset(Enum):
    """A field a change does not mention: it stays as it is. `None` clears it."""

    UNSET = "unset"


UNSET = Unset.UNSET

KeyStatus = Literal["active", "revoked", "expired"]
Mode = Literal["enforce", "shadow"]
Scope = Literal["each", "pooled"]
HolderKind = Literal["key", "user", "global"]
Grouping = Literal["key", "user", "model", "provider", "day"]
Metadata = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request failed: `code` is stable, `message` says what, `hint` the way out."""

    code: str
    message: str
    hint: str | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """A budget as one holder meets it in the current period.

    `holder` reads `key:<name>`, `user:<id>` or `global`. Without `limit_usd` it only counts; without
    `period_end` it never ends. `posted_usd + held_usd <= limit_usd` always; `overage_usd` comes on top.
    """

    budget_id: str
    name: str
    holder: str
    limit_usd: str | None
    posted_usd: str
    held_usd: str
    overage_usd: str
    period_start: str | None
    period_end: str | None
    mode: Mode


@dataclass(frozen=True, slots=True)
class KeyCreate:
    """Make a virtual key. `budget` is shorthand like `5/day`, or else the id or name of a budget."""

    key_name: str | None = None
    user_id: str | None = None
    expires_at: str | None = None
    metadata: Metadata = field(default_factory=dict)
    allowed_models: tuple[str, ...] | None = None
    budget: str | None = None


@dataclass(frozen=True, slots=True)
class KeyUpdate:
    """Change a virtual key; what is not mentioned stays."""

    key_name: str | Unset | None = UNSET
    is_active: bool | Unset = UNSET
    expires_at: str | Unset | None = UNSET
    metadata: Metadata | Unset = UNSET
    allowed_models: tuple[str, ...] | Unset | None = UNSET


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A virtual key without its secret; `allowed_models` None means any model."""

    id: str
    key_prefix: str
    key_name: str | None
    user_id: str | None
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    is_active: bool
    status: KeyStatus
    metadata: Metadata = field(default_factory=dict)
    allowed_models: tuple[str, ...] | None = None
    budgets: tuple[BudgetUse, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyCreated:
    """A new or rotated key. `key` is the secret, shown this once; None after a dry run."""

    id: str
    key: str | None
    key_prefix: str | None
    key_name: str | None
    user_id: str | None
    created_at: str
    expires_at: str | None
    is_active: bool
    metadata: Metadata = field(default_factory=dict)
    allowed_models: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class UserCreate:
    """Make a user. `budget` is read as in `KeyCreate`; `budget_id` is the predecessor's field for an id."""

    user_id: str
    alias: str | None = None
    budget_id: str | None = None
    blocked: bool = False
    metadata: Metadata = field(default_factory=dict)
    budget: str | None = None


@dataclass(frozen=True, slots=True)
class UserUpdate:
    """Change a user; what is not mentioned stays."""

    alias: str | Unset | None = UNSET
    budget_id: str | Unset | None = UNSET
    blocked: bool | Unset = UNSET
    metadata: Metadata | Unset = UNSET


@dataclass(frozen=True, slots=True)
class UserInfo:
    """A user, what they spent since they were created, and the budgets they draw on."""

    user_id: str
    alias: str | None
    spend: float
    budget_id: str | None
    budget_started_at: str | None
    next_budget_reset_at: str | None
    blocked: bool
    created_at: str
    updated_at: str
    metadata: Metadata = field(default_factory=dict)
    spend_usd: str = "0.00"
    held_usd: str = "0.00"
    budgets: tuple[BudgetUse, ...] = ()


@dataclass(frozen=True, slots=True)
class BudgetCreate:
    """Make a budget of `max_budget` dollars (None: unlimited) per period.

    `per` is `lifetime`, `day`, `week`, `month` or a duration like `30d`; `budget_duration_sec` and
    `reset_alignment` (`calendar_day`, ...) are the predecessor's ways to say it: at most one of the three is
    given. `scope` says whether every holder has the whole amount or all of them share it.
    """

    name: str | None = None
    max_budget: str | float | None = None
    per: str | None = None
    time_zone: str | None = None
    mode: Mode = "enforce"
    scope: Scope = "each"
    budget_duration_sec: int | None = None
    reset_alignment: str | None = None


@dataclass(frozen=True, slots=True)
class BudgetUpdate:
    """Change a budget; what is not mentioned stays. The period's fields are those of `BudgetCreate`."""

    name: str | Unset | None = UNSET
    max_budget: str | float | Unset | None = UNSET
    per: str | Unset | None = UNSET
    time_zone: str | Unset | None = UNSET
    mode: Mode | Unset = UNSET
    budget_duration_sec: int | Unset | None = UNSET
    reset_alignment: str | Unset | None = UNSET


@dataclass(frozen=True, slots=True)
class BudgetInfo:
    """A budget and how each of its holders stands. `per` is `lifetime`, `day`, `week`, `month` or `<n>s`."""

    budget_id: str
    name: str | None
    max_budget: float | None
    limit_usd: str | None
    per: str
    time_zone: str | None
    mode: Mode
    scope: Scope
    budget_duration_sec: int | None
    reset_alignment: str | None
    created_at: str
    updated_at: str
    holders: tuple[BudgetUse, ...] = ()


@dataclass(frozen=True, slots=True)
class BudgetAssign:
    """Give a budget to a holder, or take it away; `holder_id` is None for `global`."""

    holder_kind: HolderKind
    holder_id: str | None = None


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """Which usage rows: `since` inclusive, `until` exclusive; ids or names; newest first; at most `limit`."""

    since: str | None = None
    until: str | None = None
    key: str | None = None
    user: str | None = None
    model: str | None = None
    provider: str | None = None
    request_id: str | None = None
    cursor: str | None = None
    skip: int = 0
    limit: int = 100


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One request as it was settled. `reason` says why it cost that; `status` is `success` or `error`.

    `prompt_tokens` counts cached ones too, `completion_tokens` the reasoning ones too.
    """

    request_id: str
    id: str
    api_key_id: str | None
    key_name: str | None
    user_id: str | None
    timestamp: str
    model: str
    provider: str | None
    endpoint: str
    prompt_tokens: int | None
    completion_tokens: int | None
    total_tokens: int | None
    cost: float | None
    cost_usd: str | None
    held_usd: str | None
    status: str
    error_message: str | None
    reason: str
    stream: bool
    status_code: int | None = None
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    first_byte_ms: float | None = None
    duration_ms: float | None = None


@dataclass(frozen=True, slots=True)
class UsagePage:
    """Usage rows, newest first, and the cursor of the page after them; None on the last."""

    rows: tuple[UsageRow, ...]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class UsageSummaryRow:
    """What one key, user, model, provider or day used; `group` is its name."""

    group: str
    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: str


@dataclass(frozen=True, slots=True)
class HoldInfo:
    """Money set aside for a request in flight; `ceilings` are the holders it is held under."""

    request_id: str
    age_ms: int
    amount_usd: str
    key_id: str | None
    key_name: str | None
    model: str
    ceilings: tuple[str, ...]
    stream: bool
    output_tokens: int


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
class Status:
    """The daemon, its configuration and its books now; `ledger_backlog` counts unwritten operations."""

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


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was turned away before any provider was asked; `code` as the caller got it."""

    request_id: str
    timestamp: str
    api_key_id: str | None
    key_name: str | None
    user_id: str | None
    model: str | None
    endpoint: str
    status_code: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that just happened. `cursor` resumes after it; exactly the field named by `kind` is set."""

    cursor: str
    kind: Literal["request", "refusal"]
    row: UsageRow | None = None
    refusal: Refusal | None = None
