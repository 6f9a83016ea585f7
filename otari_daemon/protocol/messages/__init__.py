"""Every question and answer of the admin protocol, by subject.

Amounts are decimal strings of dollars (`*_usd`); where the predecessor had a float it rides along.
Times are RFC 3339 strings in UTC with milliseconds and a `Z`. Ids are opaque. A field added after
protocol version 1 has a default, so an older peer is still understood.

Annotations are real objects here (no `from __future__ import annotations`): `codec` reads them.
"""

from otari_daemon.protocol.messages.budgets import (
    BudgetAssign,
    BudgetCreate,
    BudgetInfo,
    BudgetUpdate,
    BudgetUse,
    HolderKind,
    Scope,
)
from otari_daemon.protocol.messages.common import (
    UNSET,
    Metadata,
    Mode,
    Problem,
    Unset,
)
from otari_daemon.protocol.messages.daemon import (
    Finding,
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
    PriceExplained,
    RefusalGroup,
)
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
)
from otari_daemon.protocol.messages.reports import (
    Bucket,
    Forecast,
    Rebuilt,
    Report,
    ReportQuery,
    ReportRow,
    Sort,
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
    "Bucket",
    "BudgetAssign",
    "BudgetCreate",
    "BudgetInfo",
    "BudgetUpdate",
    "BudgetUse",
    "CeilingExplained",
    "ChargeExplained",
    "ChargeLine",
    "Event",
    "Explanation",
    "Finding",
    "Forecast",
    "Grouping",
    "HoldExplained",
    "HoldInfo",
    "HolderKind",
    "KeyCreate",
    "KeyCreated",
    "KeyInfo",
    "KeyStatus",
    "KeyUpdate",
    "Metadata",
    "Mode",
    "ModelInfo",
    "PriceExplained",
    "PriceInfo",
    "PriceSet",
    "Problem",
    "ProviderInfo",
    "Rebuilt",
    "Refusal",
    "RefusalGroup",
    "Report",
    "ReportQuery",
    "ReportRow",
    "Scope",
    "Sort",
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
