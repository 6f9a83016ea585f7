"""Virtual keys."""

from dataclasses import dataclass, field
from typing import Literal

from otari_daemon.protocol.messages.budgets import BudgetUse
from otari_daemon.protocol.messages.common import UNSET, LimitUse, Metadata, Unset

KeyStatus = Literal["active", "revoked", "expired"]


@dataclass(frozen=True, slots=True)
class KeyCreate:
    """Make a virtual key. `budget` is shorthand like `5/day`, or else the id or name of a budget.

    `rpm` and `tpm` are requests and tokens within any 60 s; None leaves a limit to the configuration.
    """

    key_name: str | None = None
    user_id: str | None = None
    expires_at: str | None = None
    metadata: Metadata = field(default_factory=dict)
    allowed_models: tuple[str, ...] | None = None
    budget: str | None = None
    rpm: int | None = None
    tpm: int | None = None
    max_parallel: int | None = None


@dataclass(frozen=True, slots=True)
class KeyUpdate:
    """Change a virtual key; what is not mentioned stays, a limit of None is left to the configuration."""

    key_name: str | Unset | None = UNSET
    is_active: bool | Unset = UNSET
    expires_at: str | Unset | None = UNSET
    metadata: Metadata | Unset = UNSET
    allowed_models: tuple[str, ...] | Unset | None = UNSET
    rpm: int | Unset | None = UNSET
    tpm: int | Unset | None = UNSET
    max_parallel: int | Unset | None = UNSET


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
    limits: tuple[LimitUse, ...] = ()


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
