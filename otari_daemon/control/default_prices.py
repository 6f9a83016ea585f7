"""Prices that come with otari, for models nobody has priced here: plain data, read once, no network.

`scripts/default_prices.py` writes the data from genai-prices (MIT, Pydantic).
"""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

from otari_daemon.domain.pricing import Price, Rates

REMEMBERED_MAX = 4096
SOURCE = "default"
UNPRICED = "unpriced"


class DefaultPrices:
    """What models cost by the type of their provider; a model may have later versions and tiers.

    `otherwise` is what a model costs that is not known; without it, nothing is said of such a model.
    """

    def __init__(self, known: dict[str, list[Any]], otherwise: Rates | None = None) -> None:
        self._known = known
        self._otherwise = otherwise
        self._remembered: dict[str, tuple[Price, ...]] = {}

    @classmethod
    def bundled(cls, otherwise: Rates | None = None) -> DefaultPrices:
        """The data that comes with this release; some milliseconds to read."""
        text = files("otari_daemon.control").joinpath("default_prices.json").read_text("utf-8")
        return cls(json.loads(text), otherwise)

    @classmethod
    def none(cls, otherwise: Rates | None = None) -> DefaultPrices:
        """For who prices every model themselves."""
        return cls({}, otherwise)

    def find(self, provider_type: str, model: str, canonical: str, now_ms: int) -> Price | None:
        """The price of `model` at a provider of a type now, under its canonical name here."""
        versions = self._remembered.get(canonical)
        if versions is None:
            if len(self._remembered) >= REMEMBERED_MAX:
                self._remembered.clear()
            versions = self._remembered[canonical] = self._versions(provider_type, model, canonical)
        begun = [price for price in versions if price.effective_ms <= now_ms]
        return begun[-1] if begun else None

    def _versions(self, provider_type: str, model: str, canonical: str) -> tuple[Price, ...]:
        for match, context, versions in self._known.get(provider_type, ()):
            if _matches(match, model):
                return tuple(_price(canonical, context, since_ms, tiers) for since_ms, tiers in versions)
        if self._otherwise is not None:
            return (Price(canonical, self._otherwise, 0, UNPRICED),)
        return ()


def _price(canonical: str, context: int | None, since_ms: int, tiers: list[Any]) -> Price:
    """A version of a price; its tiers name their threshold in their source."""
    dearer = tuple(
        Price(canonical, Rates.of(**rates), since_ms, f"{SOURCE}>{above}", context, above_tokens=above)
        for above, rates in tiers[1:]
    )
    return Price(canonical, Rates.of(**tiers[0][1]), since_ms, SOURCE, context, tiers=dearer)


def _matches(clause: list[Any], model: str) -> bool:
    kind, value = clause
    if kind == "or":
        return any(_matches(part, model) for part in value)
    if kind == "and":
        return all(_matches(part, model) for part in value)
    if kind == "regex":
        return re.search(value, model) is not None
    text, value = model.lower(), value.lower()
    if kind == "equals":
        return bool(text == value)
    if kind == "starts_with":
        return text.startswith(value)
    return text.endswith(value) if kind == "ends_with" else value in text
