"""Usage added up: reports, what becomes of budgets, and what a key may know of itself."""

from dataclasses import dataclass
from typing import Literal

Sort = Literal["cost", "requests", "tokens", "name"]
Bucket = Literal["hour", "day", "month"]


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """What to add up, and by what.

    `by` names up to four of key, user, model, provider, endpoint, status, `tag:<name>` and at most one of
    hour, day, month, separated by commas; `where` is a filter. `compare` adds the span of the same length
    just before. `trend` adds each group's cost by bucket. At most `limit` groups, in the order of `sort`.
    """

    by: str = "model"
    since: str | None = None
    until: str | None = None
    where: str | None = None
    compare: Literal["previous"] | None = None
    trend: Bucket | None = None
    sort: Sort = "cost"
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class ReportRow:
    """What the requests of one group add up to; `group` has a value for each word of `by`.

    `prompt_tokens` counts cached ones too, `completion_tokens` the reasoning ones too.
    """

    group: tuple[str, ...]
    requests: int
    errors: int
    prompt_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    cost_usd: str
    mean_ms: float | None = None
    previous_requests: int | None = None
    previous_cost_usd: str | None = None
    trend_usd: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A report: its span, its groups, and the totals over all groups, shown or not.

    `exact` is false while what it is made of is built anew.
    """

    by: tuple[str, ...]
    since: str
    until: str
    rows: tuple[ReportRow, ...]
    totals: ReportRow
    groups: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Forecast:
    """Where a budget's holder will stand at the end of the period if spending goes on as it did so far.

    Without an end of the period nothing is projected. `runs_out_at` is when the limit is reached, if before.
    """

    budget_id: str
    name: str
    holder: str
    spent_usd: str
    limit_usd: str | None
    period_end: str | None
    projected_usd: str | None
    runs_out_at: str | None


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Whether what reports are made of was built anew, in how long; not when it fell behind meanwhile."""

    ok: bool
    took_ms: int
