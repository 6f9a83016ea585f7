"""Write `otari_daemon/control/default_prices.json` from the genai-prices package (MIT, Pydantic).

The daemon reads plain data: the package itself would cost a third of a second and a client library at start.
Run it with genai-prices installed; `--check` only compares, and exits 1 on a difference.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from genai_prices import data

TARGET = Path(__file__).parent.parent / "otari_daemon/control/default_prices.json"
PICO_PER_USD_PER_MILLION = 1_000_000
PROVIDERS = {
    "anthropic": "anthropic",
    "cerebras": "cerebras",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "fireworks": "fireworks",
    "google": "gemini",
    "groq": "groq",
    "minimax": "minimax",
    "mistral": "mistral",
    "moonshotai": "moonshot",
    "openai": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "together": "together",
    "voyageai": "voyage",
    "x-ai": "xai",
}
"""Their provider to our type."""

CLASSES = {
    "input": "input_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "output": "output_mtok",
    "reasoning": "output_reasoning_mtok",
    "audio_input": "input_audio_mtok",
    "audio_output": "output_audio_mtok",
}
NEEDED = ("input", "output")
PER_REQUEST = "requests_kcount"


def main() -> None:
    """Write or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    text = json.dumps(collect(), indent=0, sort_keys=True, separators=(",", ":")) + "\n"
    if not parser.parse_args().check:
        TARGET.write_text(text)
    elif TARGET.read_text() != text:
        sys.exit(f"{TARGET.name} is not what genai-prices says now; run scripts/default_prices.py")


def collect() -> dict[str, list[Any]]:
    """Models by our provider type: `[match, context tokens or null, [[from ms, tiers], ...]]`."""
    return {
        PROVIDERS[provider.id]: [model for model in map(read_model, provider.models) if model is not None]
        for provider in data.providers
        if provider.id in PROVIDERS
    }


def read_model(model: Any) -> list[Any] | None:
    """One model, unless it is priced in a way that tokens and requests do not express."""
    prices = model.prices if isinstance(model.prices, list) else [None]
    versions = []
    for conditional in prices:
        priced = model.prices if conditional is None else conditional.prices
        constraint = None if conditional is None else conditional.constraint
        since = start_ms(constraint)
        tiers = read_tiers(priced)
        if since is None or tiers is None:
            return None
        versions.append([since, tiers])
    return [read_match(model.match), model.context_window, versions]


def start_ms(constraint: Any) -> int | None:
    """When a price begins, epoch milliseconds; None for prices by the hour of day."""
    if constraint is None:
        return 0
    start = getattr(constraint, "start_date", None)
    if start is None:
        return None
    return int(dt.datetime(start.year, start.month, start.day, tzinfo=dt.UTC).timestamp() * 1000)


def read_tiers(price: Any) -> list[list[Any]] | None:
    """`[above how many input tokens, {class: pico}]`, the base (above 0) first."""
    starts = {0}
    for field in CLASSES.values():
        starts |= {tier.start for tier in getattr(getattr(price, field), "tiers", ())}
    tiers = [[start, read_rates(price, start)] for start in sorted(starts)]
    return None if any(rates is None for _, rates in tiers) else tiers


def read_rates(price: Any, start: int) -> dict[str, int] | None:
    """Rates of one tier in pico-USD per unit; None when a needed class has none."""
    rates = {}
    for name, field in CLASSES.items():
        value = getattr(price, field)
        if value is None:
            continue
        value_here = getattr(value, "base", value)
        for tier in getattr(value, "tiers", ()):
            if tier.start <= start:
                value_here = tier.price
        rates[name] = pico(value_here)
    per_thousand = getattr(price, PER_REQUEST)
    if per_thousand is not None:
        rates["requests"] = pico(Decimal(per_thousand) * 1000)
    return rates if all(name in rates for name in NEEDED) else None


def pico(usd_per_million: Decimal) -> int:
    """Exact pico-USD per unit, rounded up where the data is finer."""
    return int((Decimal(usd_per_million) * PICO_PER_USD_PER_MILLION).to_integral_value("ROUND_CEILING"))


def read_match(clause: Any) -> list[Any]:
    """A match clause as `[kind, text]` or `["or" | "and", [clauses]]`."""
    for kind in ("equals", "starts_with", "ends_with", "contains", "regex"):
        if hasattr(clause, kind):
            return [kind, getattr(clause, kind)]
    both = "or" if hasattr(clause, "or_") else "and"
    return [both, [read_match(part) for part in getattr(clause, f"{both}_")]]


if __name__ == "__main__":
    main()
