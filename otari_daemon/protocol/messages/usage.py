"""What requests used, what is held for them, and what was refused."""

from dataclasses import dataclass
from typing import Literal

Grouping = Literal["key", "user", "model", "provider", "day"]


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

    `prompt_tokens` counts cached ones too, `completion_tokens` the reasoning ones too. `corrected_usd` is how
    much of the cost was added after it settled; below zero, taken off.
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
    corrected_usd: str = "0.00"


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
