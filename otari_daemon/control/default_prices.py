"""Prices that come with otari, for models nobody has priced here: plain data, read once, no network.

`scripts/default_prices.py` writes the data from genai-prices (MIT, Pydantic).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from otari_daemon.domain.pricing import Price, Rates

REMEMBERED_MAX = 4096
SOURCE = "default"
UNPRICED = "unpriced"

Services = Mapping[str, list[Any]]
NO_SERVICES: Services = MappingProxyType({})


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

    def known(self, provider_type: str) -> list[str]:
        """Names of models that a type of provider is known to serve; one for each entry of the data."""
        found = (_name(entry[0]) for entry in self._known.get(provider_type, ()))
        return sorted({name for name in found if name})

    def like(self, provider_type: str, model: str, now_ms: int) -> tuple[str, Price] | None:
        """The price of a model, and under which name it is known: at its own provider, or else anywhere."""
        for kind in (provider_type, *sorted(self._known.keys() - {provider_type})):
            name = f"{kind}:{model}"
            begun = [each for each in self._entries(kind, model, name) if each.effective_ms <= now_ms]
            if begun:
                return name, begun[-1]
        return None

    def _versions(self, provider_type: str, model: str, canonical: str) -> tuple[Price, ...]:
        found = self._entries(provider_type, model, canonical)
        if not found and self._otherwise is not None:
            return (Price(canonical, self._otherwise, 0, UNPRICED),)
        return found

    def _entries(self, provider_type: str, model: str, canonical: str) -> tuple[Price, ...]:
        for match, context, versions in self._known.get(provider_type, ()):
            if _matches(match, model):
                return tuple(_price(canonical, context, *version) for version in versions)
        return ()


def _price(
    canonical: str, context: int | None, since_ms: int, tiers: list[Any], services: Services = NO_SERVICES
) -> Price:
    """A version of a price; its tiers and service tiers name themselves in their source."""
    whole = _tiered(Price(canonical, Rates.of(), since_ms, SOURCE, context), tiers)
    served = ((name, _tiered(replace(whole, source=f"{SOURCE} {name}"), services[name])) for name in services)
    return replace(whole, services=tuple(served))


def _tiered(plain: Price, tiers: list[Any]) -> Price:
    dearer = tuple(
        replace(
            plain, rates=Rates.of(**rates), source=f"{plain.source}>{above}", above_tokens=above, tiers=()
        )
        for above, rates in tiers[1:]
    )
    return replace(plain, rates=Rates.of(**tiers[0][1]), tiers=dearer)


def _name(clause: list[Any]) -> str | None:
    """The first whole name, or else beginning of one, that a clause asks for."""
    kind, value = clause
    if kind in ("or", "and"):
        named = sorted((part[0], part[1]) for part in value if part[0] in ("equals", "starts_with"))
        return named[0][1] if named else None
    return value if kind in ("equals", "starts_with") else None


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
