"""Budgets: made, changed, assigned, and how their holders stand."""

from dataclasses import dataclass
from typing import Literal

from otari_daemon.protocol.messages.common import UNSET, Mode, Unset

Scope = Literal["each", "pooled"]
HolderKind = Literal["key", "user", "global"]


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
class BudgetCreate:
    """Make a budget of `max_budget` dollars (None: unlimited) per period.

    `per` is `lifetime`, `day`, `week`, `month` or a duration like `30d`; `budget_duration_sec` and
    `reset_alignment` (`calendar_day`, ...) are the predecessor's ways to say it: at most one of the three is
    given. `scope` says whether every holder has the whole amount or all of them share it. `on_exceed` says
    what becomes of a request without room: `block`, `throttle` (it waits for what others hold) or
    `fallback:<model>` (that one is tried instead).
    """

    name: str | None = None
    max_budget: str | float | None = None
    per: str | None = None
    time_zone: str | None = None
    mode: Mode = "enforce"
    scope: Scope = "each"
    budget_duration_sec: int | None = None
    reset_alignment: str | None = None
    on_exceed: str = "block"


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
    on_exceed: str | Unset = UNSET


@dataclass(frozen=True, slots=True)
class BudgetRaise:
    """Give a budget `amount` dollars more in every period until `until`."""

    amount: str | float
    until: str


@dataclass(frozen=True, slots=True)
class RaiseInfo:
    """A raise in force: who asked for it, when, and why."""

    raise_id: str
    amount_usd: str
    until: str
    created_at: str
    uid: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class BudgetInfo:
    """A budget and how each of its holders stands. `per` is `lifetime`, `day`, `week`, `month` or `<n>s`.

    `limit_usd` is without the `raises`; that of each holder's is with them.
    """

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
    on_exceed: str = "block"
    raises: tuple[RaiseInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class BudgetAssign:
    """Give a budget to a holder, or take it away; `holder_id` is None for `global`."""

    holder_kind: HolderKind
    holder_id: str | None = None
