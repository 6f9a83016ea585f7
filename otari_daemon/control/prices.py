"""The prices in force: the database's over the configuration's over what is built in."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from otari_daemon.domain.pricing import Price


class PriceList:
    """Versions of each model's price by when they take effect. A pattern `provider:*` prices all the rest."""

    def __init__(self, *sources: Iterable[Price]) -> None:
        """Take sources, the strongest first: a model priced by one is not looked up in the next."""
        self._versions: dict[str, list[Price]] = {}
        for source in sources:
            found: dict[str, list[Price]] = {}
            for price in source:
                found.setdefault(price.model, []).append(price)
            for model, versions in found.items():
                if model not in self._versions:
                    self._versions[model] = sorted(versions, key=lambda price: price.effective_ms)

    def find(self, model: str, now_ms: int) -> Price | None:
        """The newest version in effect; a version of the future neither bills nor shows."""
        versions = self._versions.get(model)
        if versions is None:
            versions = self._versions.get(f"{model.partition(':')[0]}:*", [])
        place = bisect_right(versions, now_ms, key=lambda price: price.effective_ms)
        return versions[place - 1] if place else None

    def names(self) -> list[str]:
        """Models priced by name."""
        return [model for model in self._versions if not model.endswith(":*")]
