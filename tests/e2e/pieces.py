"""A daemon whose providers are one mock under several names, each priced as one endpoint bills."""

from __future__ import annotations

from typing import Any

from tests.e2e.machine import PRICING, Machine, nano

PER_PIECE: dict[str, dict[str, Any]] = {
    "judge": {"price_per_request": "0.0001"},
    "search": {"price_per_request": "0.002"},
    "paint": {"price_per_image": "0.04"},
    "voice": {"characters_price_per_million": 15},
    "ear": {"price_per_second": "0.0001"},
}


class Pieces(Machine):
    """`up` and `rank` are priced by the token; see `PER_PIECE` for the others."""

    def _configure(self, config: dict[str, Any]) -> Any:
        place = {"type": "openai", "api_base": self.mock_url}
        ranking = {"type": "vllm", "api_base": self.mock_url}
        free = {"input_price_per_million": 0, "output_price_per_million": 0}
        pricing = {f"{name}:*": {**free, **price} for name, price in PER_PIECE.items()}
        return super()._configure(
            {
                "providers": {name: place for name in ("up", *PER_PIECE)}
                | {"search": ranking, "rank": ranking},
                "pricing": {"up:*": PRICING, "rank:*": PRICING, **pricing},
                **config,
            }
        )


class Charged:
    """What one or more requests came to, on both sides, from here on."""

    def __init__(self, machine: Machine) -> None:
        machine.quiet()
        self._machine = machine
        self._billed = machine.billed_nano()
        self._known = {row["request_id"] for row in machine.usage()}

    def fair(self) -> Any:
        """The newest row, once all since then cost what the provider billed and no more than was held."""
        self._machine.quiet()
        rows = [row for row in self._machine.usage() if row["request_id"] not in self._known]
        billed = self._machine.billed_nano() - self._billed
        assert sum(map(nano, rows)) == billed > 0, (rows, billed)
        assert all(nano(row) <= nano({"cost_usd": row["held_usd"]}) for row in rows), rows
        return rows[0]
