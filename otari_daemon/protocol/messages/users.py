"""Users: whom keys bill."""

from dataclasses import dataclass, field

from otari_daemon.protocol.messages.budgets import BudgetUse
from otari_daemon.protocol.messages.common import UNSET, LimitUse, Metadata, Unset


@dataclass(frozen=True, slots=True)
class UserCreate:
    """Make a user. `budget` and limits are read as in `KeyCreate`; `budget_id` is the predecessor's field."""

    user_id: str
    alias: str | None = None
    budget_id: str | None = None
    blocked: bool = False
    metadata: Metadata = field(default_factory=dict)
    budget: str | None = None
    rpm: int | None = None
    tpm: int | None = None
    max_parallel: int | None = None


@dataclass(frozen=True, slots=True)
class UserUpdate:
    """Change a user; what is not mentioned stays, a limit that is None is left to the configuration."""

    alias: str | Unset | None = UNSET
    budget_id: str | Unset | None = UNSET
    blocked: bool | Unset = UNSET
    metadata: Metadata | Unset = UNSET
    rpm: int | Unset | None = UNSET
    tpm: int | Unset | None = UNSET
    max_parallel: int | Unset | None = UNSET


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
    limits: tuple[LimitUse, ...] = ()
