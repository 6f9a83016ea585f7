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
    "cache_write_1h": "cache_write_1h_mtok",
    "image_input": "input_image_mtok",
    "image_output": "output_image_mtok",
}
NEEDED = ("input", "output")
BY_THE_THOUSAND = {"requests": "requests_kcount", "tool_calls": "web_searches_kcount"}
SERVICES = (("service_tier", None), ("processing", "batch"))
"""What a variant of a price may depend on, and the only value of it that is a service tier."""


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
    """Models by our provider type: `[match, context tokens or null, versions]`.

    A version is `[from ms, tiers]`, with `{service tier: tiers}` third where there are any.
    """
    return {
        PROVIDERS[provider.id]: [model for model in map(read_model, provider.models) if model is not None]
        for provider in data.providers
        if provider.id in PROVIDERS
    }


def read_model(model: Any) -> list[Any] | None:
    """One model, unless it is priced in a way that tokens and requests do not express."""
    prices = model.prices if isinstance(model.prices, list) else [None]
    plain = []
    for conditional in prices:
        priced = model.prices if conditional is None else conditional.prices
        constraint = None if conditional is None else conditional.constraint
        since, tiers = start_ms(constraint), read_tiers(priced)
        if since is None or not all(name in rates for _, rates in tiers for name in NEEDED):
            return None
        plain.append((since, tiers))
    return [read_match(model.match), model.context_window, with_services(plain, read_services(model))]


def read_services(model: Any) -> dict[str, list[tuple[int, list[Any]]]]:
    """The versions of what each service tier changes of the plain price."""
    found: dict[str, list[tuple[int, list[Any]]]] = {}
    for variant in model.price_variants or ():
        for key, only in SERVICES:
            name = variant.when.get(key)
            if name is None or len(variant.when) > 1 or only not in (None, name):
                continue
            since, tiers = start_ms(variant.constraint), read_tiers(variant.prices)
            if since is not None and any(rates for _, rates in tiers):
                found.setdefault(name, []).append((since, tiers))
    return found


def with_services(plain: list[Any], services: dict[str, list[Any]]) -> list[list[Any]]:
    """Versions of the plain price, split where a service tier's price begins."""
    starts = sorted({since for versions in (plain, *services.values()) for since, _ in versions})
    made = []
    for start in starts:
        tiers = latest(plain, start)
        if tiers is None:
            continue
        changed = {name: latest(versions, start) for name, versions in services.items()}
        served = {name: merged(tiers, each) for name, each in changed.items() if each is not None}
        made.append([start, tiers, served] if served else [start, tiers])
    return made


def merged(plain: list[Any], changed: list[Any]) -> list[list[Any]]:
    """The tiers of both, each with what is changed there over what is plain there."""
    starts = sorted({start for start, _ in (*plain, *changed)})
    return [[start, {**at(plain, start), **at(changed, start)}] for start in starts]


def at(tiers: list[Any], start: int) -> dict[str, int]:
    """The rates of the tier that holds from `start` on."""
    rates: dict[str, int] = [rates for above, rates in tiers if above <= start][-1]
    return rates


def latest(versions: list[Any], at: int) -> list[Any] | None:
    """The tiers of the newest version that has begun."""
    begun = [tiers for since, tiers in sorted(versions, key=lambda version: version[0]) if since <= at]
    return begun[-1] if begun else None


def start_ms(constraint: Any) -> int | None:
    """When a price begins, epoch milliseconds; None for prices by the hour of day."""
    if constraint is None:
        return 0
    start = getattr(constraint, "start_date", None)
    if start is None:
        return None
    return int(dt.datetime(start.year, start.month, start.day, tzinfo=dt.UTC).timestamp() * 1000)


def read_tiers(price: Any) -> list[list[Any]]:
    """`[above how many input tokens, {class: pico}]`, the base (above 0) first."""
    starts = {0}
    for field in CLASSES.values():
        starts |= {tier.start for tier in getattr(getattr(price, field), "tiers", ())}
    return [[start, read_rates(price, start)] for start in sorted(starts)]


def read_rates(price: Any, start: int) -> dict[str, int]:
    """Rates of one tier in pico-USD per unit, of the classes that have one."""
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
    for name, field in BY_THE_THOUSAND.items():
        per_thousand = getattr(price, field)
        if per_thousand is not None:
            per_thousand = getattr(per_thousand, "base", per_thousand)
            rates[name] = pico(Decimal(per_thousand) * 1000)
    return rates


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
