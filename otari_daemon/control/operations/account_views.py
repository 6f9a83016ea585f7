"""What a key is told of its budgets and of the sums of its requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from otari_daemon.domain.money import NANO_PER_USD, format_usd, parse_usd
from otari_daemon.protocol.messages import BudgetUse
from otari_daemon.store.cells import Counts
from otari_daemon.store.reports import Answer, Group, Sums
from otari_daemon.telemetry.clock import rfc3339

Shown = dict[str, object]
_DIMENSIONS = {"by_model": 0, "by_provider": 1, "by_endpoint": 2}


def ledger_of(use: BudgetUse) -> Shown:
    """How a budget stands: what is spent, held and left of it, and when it begins anew."""
    left = None
    if use.limit_usd is not None:
        left = max(0, parse_usd(use.limit_usd) - parse_usd(use.posted_usd) - parse_usd(use.held_usd))
    return {
        "budget_id": use.budget_id,
        "name": use.name,
        "holder": use.holder,
        "mode": use.mode,
        "limit_usd": use.limit_usd,
        "spent_usd": use.posted_usd,
        "held_usd": use.held_usd,
        "remaining_usd": None if left is None else format_usd(left),
        "period_start": use.period_start,
        "resets_at": use.period_end,
    }


def summed(found: Answer) -> Shown:
    """Sums in all, by model, provider and endpoint, and in the order of time."""
    every = list(found.items())
    parts: Shown = {"totals": _totals(_sum(sums for _, sums in every))}
    for name, place in _DIMENSIONS.items():
        groups = _grouped(every, lambda key, place=place: key[1][place])  # type: ignore[misc]
        dearest = sorted(groups.items(), key=lambda item: (-item[1].counts.cost, item[0]))
        parts[name] = [_group(label, sums) for label, sums in dearest]
    series = _grouped(every, lambda key: key[0])
    parts["series"] = [_point(bucket_ms, series[bucket_ms]) for bucket_ms in sorted(series)]
    return parts


def _grouped(
    every: list[tuple[tuple[int, Group], Sums]], key_of: Callable[[tuple[int, Group]], Any]
) -> dict[Any, Sums]:
    parts: dict[Any, list[Sums]] = {}
    for key, sums in every:
        parts.setdefault(key_of(key), []).append(sums)
    return {key: _sum(each) for key, each in parts.items()}


def _sum(parts: Iterable[Sums]) -> Sums:
    each = list(parts)
    if not each:
        return Sums(Counts(), 0)
    columns = zip(*(part.counts for part in each), strict=True)
    return Sums(Counts(*map(sum, columns)), sum(part.errors for part in each))


def _tokens(counts: Counts) -> tuple[int, int]:
    tokens = counts.tokens
    return tokens.input_tokens, tokens.output_tokens


def _totals(sums: Sums) -> Shown:
    counts = sums.counts
    prompt, completion = _tokens(counts)
    return {
        "request_count": counts.requests,
        "error_count": sums.errors,
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "cache_read_tokens": counts.cache_read,
        "cache_write_tokens": counts.cache_write + counts.cache_write_1h,
        "cost": counts.cost / NANO_PER_USD,
        "cost_usd": format_usd(counts.cost),
        "avg_latency_ms": counts.duration_us / counts.requests / 1000 if counts.requests else None,
    }


def _group(label: str, sums: Sums) -> Shown:
    counts = sums.counts
    return {
        "key": label,
        "label": label,
        "requests": counts.requests,
        "tokens": sum(_tokens(counts)),
        "cost": counts.cost / NANO_PER_USD,
        "cost_usd": format_usd(counts.cost),
    }


def _point(bucket_ms: int, sums: Sums) -> Shown:
    counts = sums.counts
    prompt, completion = _tokens(counts)
    return {
        "bucket_start": rfc3339(bucket_ms),
        "requests": counts.requests,
        "errors": sums.errors,
        "tokens": prompt + completion,
        "input_tokens": prompt,
        "output_tokens": completion,
        "cost": counts.cost / NANO_PER_USD,
        "cost_usd": format_usd(counts.cost),
    }
