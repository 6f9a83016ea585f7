"""The prices in force: the database's over the configuration's over what is built in."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from otari_daemon.domain.pricing import Price


class PriceList:
    """Versions of each model's price by when they take effect. A pattern `provider:*` prices all the rest."""

    def __init__(self, *sources: Iterable[Price]) -> None:
        """Take sources, the strongest first: the first with a version in effect prices a model."""
        self._sources = tuple(map(tuple, sources))
        self._versions: dict[str, list[list[Price]]] = {}
        for source in self._sources:
            found: dict[str, list[Price]] = {}
            for price in source:
                found.setdefault(price.model, []).append(price)
            for model, versions in found.items():
                versions.sort(key=_effective)
                self._versions.setdefault(model, []).append(versions)

    def find(self, model: str, now_ms: int) -> Price | None:
        """The newest version in effect; a version of the future neither bills nor shows."""
        for name in (model, f"{model.partition(':')[0]}:*"):
            for versions in self._versions.get(name, ()):
                place = bisect_right(versions, now_ms, key=_effective)
                if place:
                    return versions[place - 1]
        return None

    def names(self) -> list[str]:
        """Models priced by name, now or later."""
        return [model for model in self._versions if not model.endswith(":*")]

    @property
    def stated(self) -> list[Price]:
        """Every version of every source, by model, newest first; the stronger first where they tie."""
        found = [price for source in self._sources for price in source]
        return sorted(found, key=lambda price: (price.model, -price.effective_ms))

    @property
    def strongest(self) -> tuple[Price, ...]:
        """The versions of the first source: the database's."""
        return self._sources[0]

    def restated(self, strongest: Iterable[Price]) -> PriceList:
        """This list with other versions in its first source."""
        return PriceList(strongest, *self._sources[1:])


def _effective(price: Price) -> int:
    return price.effective_ms
