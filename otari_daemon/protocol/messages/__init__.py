"""Every question and answer of the admin protocol, by subject.

Amounts are decimal strings of dollars (`*_usd`); where the predecessor had a float it rides along.
Times are RFC 3339 strings in UTC with milliseconds and a `Z`. Ids are opaque. A field added after
protocol version 1 has a default, so an older peer is still understood.

Annotations are real objects here (no `from __future__ import annotations`): `codec` reads them.
"""

from otari_daemon.protocol.messages.books import (
    BilledLine,
    BudgetSimulate,
    Correction,
    Difference,
    Reconcile,
    ReconcileReport,
    RefusedCount,
    Reprice,
    RepricedModel,
    RepriceReport,
    SimulatedHolder,
    Simulation,
)
from otari_daemon.protocol.messages.budgets import (
    BudgetAssign,
    BudgetCreate,
    BudgetInfo,
    BudgetRaise,
    BudgetUpdate,
    BudgetUse,
    HolderKind,
    RaiseInfo,
    Scope,
)
from otari_daemon.protocol.messages.common import (
    UNSET,
    LimitUse,
    Metadata,
    Mode,
    Problem,
    Unset,
)
from otari_daemon.protocol.messages.daemon import (
    Finding,
    InFlight,
    ModelInfo,
    ProviderInfo,
    Status,
    VerifyReport,
)
from otari_daemon.protocol.messages.explain import (
    CeilingExplained,
    ChargeExplained,
    ChargeLine,
    Explanation,
    HoldExplained,
    InsteadExplained,
    PriceExplained,
    RefusalGroup,
)
from otari_daemon.protocol.messages.freezes import FreezeCreate, FreezeInfo
from otari_daemon.protocol.messages.keys import (
    KeyCreate,
    KeyCreated,
    KeyInfo,
    KeyStatus,
    KeyUpdate,
)
from otari_daemon.protocol.messages.pricing import (
    PriceInfo,
    PriceSet,
    PriceStep,
    PriceSuggestion,
    PriceTier,
)
from otari_daemon.protocol.messages.usage import (
    Event,
    Grouping,
    HoldInfo,
    Refusal,
    UsagePage,
    UsageQuery,
    UsageRow,
    UsageSummaryRow,
)
from otari_daemon.protocol.messages.users import (
    UserCreate,
    UserInfo,
    UserUpdate,
)

__all__ = [
    "UNSET",
    "BilledLine",
    "BudgetAssign",
    "BudgetCreate",
    "BudgetInfo",
    "BudgetRaise",
    "BudgetSimulate",
    "BudgetUpdate",
    "BudgetUse",
    "CeilingExplained",
    "ChargeExplained",
    "ChargeLine",
    "Correction",
    "Difference",
    "Event",
    "Explanation",
    "Finding",
    "FreezeCreate",
    "FreezeInfo",
    "Grouping",
    "HoldExplained",
    "HoldInfo",
    "HolderKind",
    "InFlight",
    "InsteadExplained",
    "KeyCreate",
    "KeyCreated",
    "KeyInfo",
    "KeyStatus",
    "KeyUpdate",
    "LimitUse",
    "Metadata",
    "Mode",
    "ModelInfo",
    "PriceExplained",
    "PriceInfo",
    "PriceSet",
    "PriceStep",
    "PriceSuggestion",
    "PriceTier",
    "Problem",
    "ProviderInfo",
    "RaiseInfo",
    "Reconcile",
    "ReconcileReport",
    "Refusal",
    "RefusalGroup",
    "RefusedCount",
    "Reprice",
    "RepriceReport",
    "RepricedModel",
    "Scope",
    "SimulatedHolder",
    "Simulation",
    "Status",
    "Unset",
    "UsagePage",
    "UsageQuery",
    "UsageRow",
    "UsageSummaryRow",
    "UserCreate",
    "UserInfo",
    "UserUpdate",
    "VerifyReport",
]
