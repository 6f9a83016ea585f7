"""A machine whose one mock is two providers: one speaks Messages only, the other Chat only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e.machine import PRICING, Machine, nano

NATIVE, OVER_CHAT = "claude", "up"


class Providers(Machine):
    """The mock as a provider that speaks Messages only, `claude`, and as one that speaks Chat only, `up`."""

    def _configure(self, config: dict[str, Any]) -> Path:
        claude = {"type": "anthropic", "api_base": self.mock_url, "api_key": "of-the-provider"}
        openai = {"type": "openai", "api_base": self.mock_url}
        providers = {NATIVE: claude, OVER_CHAT: openai, "bare": claude}
        pricing = {f"{name}:*": PRICING for name in (NATIVE, OVER_CHAT)}
        return super()._configure({**config, "providers": providers, "pricing": pricing})


def charged(machine: Machine, before: int) -> Any:
    """The newest row, whose cost must be what was billed since."""
    machine.quiet()
    row = machine.usage()[0]
    assert nano(row) == machine.billed_nano() - before > 0, row
    return row
