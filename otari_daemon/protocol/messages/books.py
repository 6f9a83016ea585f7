"""Questions about whole stretches of the books: priced again, replayed, compared with a provider's bill."""

from dataclasses import dataclass
from typing import Literal

from otari_daemon.protocol.messages.budgets import Scope
from otari_daemon.protocol.messages.common import Mode


@dataclass(frozen=True, slots=True)
class Reprice:
    """Price settled requests again by the versions in force when each was made; debits only with leave."""

    since: str | None = None
    until: str | None = None
    model: str | None = None
    allow_debits: bool = False


@dataclass(frozen=True, slots=True)
class RepricedModel:
    """One model's settled requests: what they are charged, and what today's price list makes of them."""

    model: str
    requests: int
    credits: int
    debits: int
    old_usd: str
    new_usd: str
    delta_usd: str


@dataclass(frozen=True, slots=True)
class RepriceReport:
    """What pricing again comes to. `made` corrections were written; the others are named by what stops them.

    `reconciled` requests follow the provider's bill and are left alone, `unpriced` ones have no price,
    and the service tier of `unknown_tier` ones is not told.
    `left` corrections are for another run.
    """

    models: tuple[RepricedModel, ...]
    requests: int
    old_usd: str
    new_usd: str
    credits_usd: str
    debits_usd: str
    made: int
    debits_refused: int
    left: int
    reconciled: int
    unpriced: int
    unknown_tier: int = 0


@dataclass(frozen=True, slots=True)
class BudgetSimulate:
    """A budget nobody has, tried on requests that were made.

    `holder` is `key:NAME`, `user:ID` or `global`; a `*` in NAME or ID stands for any characters. With scope
    `each` every holder that fits has a balance of its own.
    """

    holder: str
    max_budget: str | None = None
    per: str | None = None
    time_zone: str | None = None
    mode: Mode = "enforce"
    scope: Scope = "each"
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class SimulatedHolder:
    """One holder under the budget that was tried."""

    holder: str
    requests: int
    refused: int
    first_refused_at: str | None
    actual_usd: str
    allowed_usd: str


@dataclass(frozen=True, slots=True)
class RefusedCount:
    """How many requests of one key or user would have been refused."""

    name: str
    refused: int


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a budget would have done. `complete` is False when there were more requests than are looked at.

    `rebounded` requests stated no limit and are judged at the one a budget gives them. Lists have the most
    refused first and at most a hundred entries; `worst_day` is in UTC.
    """

    since: str
    until: str
    requests: int
    refused: int
    first_refused_at: str | None
    actual_usd: str
    allowed_usd: str
    holders_refused: int
    holders: tuple[SimulatedHolder, ...]
    keys: tuple[RefusedCount, ...]
    users: tuple[RefusedCount, ...]
    worst_day: str | None
    worst_day_refused: int
    rebounded: int
    complete: bool
    took_ms: int


@dataclass(frozen=True, slots=True)
class BilledLine:
    """What a provider bills: for one request, or for a model on a day (UTC, like 2026-11-22).

    `amount_nano` is whole nano-dollars as a decimal string.
    """

    amount_nano: str
    request_id: str | None = None
    model: str | None = None
    day: str | None = None


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Compare a provider's bill with the books; differences up to the tolerance pass."""

    provider: str
    lines: tuple[BilledLine, ...]
    tolerance_usd: str = "0.00"
    allow_debits: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """Where bill and books differ. A negative `delta_usd` is a bill below what was charged.

    `unknown`: billed, not in the books. `unbilled`: in the books, not on the bill of that day.
    """

    kind: Literal["differs", "unknown", "unbilled"]
    model: str | None
    day: str | None
    request_id: str | None
    requests: int
    charged_usd: str
    billed_usd: str
    delta_usd: str


@dataclass(frozen=True, slots=True)
class ReconcileReport:
    """How a bill compares. Only differences of single requests can be corrected; `made` of them were.

    The differences are the largest, at most a thousand; `differing` counts all.
    """

    matched: int
    within_tolerance: int
    differing: int
    charged_usd: str
    billed_usd: str
    differences: tuple[Difference, ...]
    made: int
    debits_refused: int


@dataclass(frozen=True, slots=True)
class Correction:
    """A later change of what a request was charged, and why it was made."""

    source: str
    amount_usd: str
    made_at: str
    reason: str | None
