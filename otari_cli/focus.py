"""Usage as FinOps tools read it: FOCUS 1.2 of the FinOps Foundation.

One charge for each day, key, user and model. All mandatory columns of 1.2 are there, and of the others those
that otari knows. Unit prices are left out: a charge adds up token classes of different prices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otari_cli.exits import CliError
from otari_cli.text import counted

if TYPE_CHECKING:
    from otari_daemon.protocol.messages import Report, ReportRow

VERSION = "1.2"
BY = ("day", "key", "user", "model")
ROWS_MAX = 10_000


def charges(report: Report) -> list[dict[str, Any]]:
    """A report by `BY` as FOCUS charges, oldest first. Raises CliError rather than leave some out."""
    if report.groups > len(report.rows):
        raise CliError(
            f"there are {report.groups} charges, more than the {len(report.rows)} that fit one export",
            hint="export a shorter span with --since and --until",
        )
    return [_charge(row) for row in sorted(report.rows, key=lambda row: row.group)]


def _charge(row: ReportRow) -> dict[str, Any]:
    day, key, user, model = row.group
    provider = model.partition(":")[0]
    tokens = row.prompt_tokens + row.completion_tokens
    start, end = _month(day)
    return {
        "BilledCost": row.cost_usd,
        "BillingAccountId": "otari",
        "BillingAccountName": "otari",
        "BillingAccountType": "Gateway",
        "BillingCurrency": "USD",
        "BillingPeriodEnd": end,
        "BillingPeriodStart": start,
        "ChargeCategory": "Usage",
        "ChargeClass": None,
        "ChargeDescription": f"{counted(row.requests, 'request')} to {model}",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodEnd": _day_after(day),
        "ChargePeriodStart": _midnight(day),
        "ConsumedQuantity": tokens,
        "ConsumedUnit": "Tokens",
        "ContractedCost": row.cost_usd,
        "EffectiveCost": row.cost_usd,
        "InvoiceIssuerName": provider,
        "ListCost": row.cost_usd,
        "PricingCategory": "Standard",
        "PricingQuantity": tokens,
        "PricingUnit": "Tokens",
        "ProviderName": provider,
        "PublisherName": provider,
        "ResourceId": model,
        "ResourceName": model,
        "ResourceType": "Model",
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": model,
        "ServiceSubcategory": "Generative AI",
        "SubAccountId": key,
        "SubAccountName": key,
        "SubAccountType": "API key",
        "Tags": {"user": user},
        "x_Requests": row.requests,
        "x_InputTokens": row.prompt_tokens,
        "x_CachedInputTokens": row.cache_read_tokens,
        "x_OutputTokens": row.completion_tokens,
    }


def _midnight(day: str) -> str:
    return f"{day}T00:00:00Z"


def _day_after(day: str) -> str:
    from datetime import date, timedelta

    return _midnight((date.fromisoformat(day) + timedelta(days=1)).isoformat())


def _month(day: str) -> tuple[str, str]:
    """The calendar month of a day, from its first midnight to the next one's: the billing period."""
    year, month = int(day[:4]), int(day[5:7])
    after = (year + 1, 1) if month == 12 else (year, month + 1)
    return _midnight(f"{year:04}-{month:02}-01"), _midnight(f"{after[0]:04}-{after[1]:02}-01")
