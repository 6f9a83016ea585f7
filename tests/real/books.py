"""What the ledger says of a request, held against what the model said."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any, NamedTuple

from openai.types import CompletionUsage

from tests.e2e.machine import Machine, nano
from tests.real.asking import Asked

INPUT_USD, CACHED_USD, OUTPUT_USD = "0.10", "0.025", "0.40"
"""Per million tokens."""

PRICING = {
    "input_price_per_million": INPUT_USD,
    "cache_read_price_per_million": CACHED_USD,
    "output_price_per_million": OUTPUT_USD,
}
NANO_PER_USD_PER_MILLION = 1000

ROW = "{:<38}{:>8}{:>8}{:>8}{:>14}{:>14}  {}"
HEADINGS = ("request", "prompt", "cached", "answer", "due, nano", "ledger, nano", "")


class Tokens(NamedTuple):
    """What one answer used; cached tokens are part of the prompt."""

    prompt: int
    cached: int
    completion: int

    @classmethod
    def reported(cls, usage: CompletionUsage) -> Tokens:
        """As the model reported it."""
        details = usage.prompt_tokens_details
        cached = details.cached_tokens if details else None
        return cls(usage.prompt_tokens, cached or 0, usage.completion_tokens)

    @classmethod
    def recorded(cls, row: Any) -> Tokens:
        """As a usage row has it."""
        return cls(row["prompt_tokens"], row["cache_read_tokens"], row["completion_tokens"])

    @property
    def due_nano(self) -> int:
        """What they cost: fractions, rounded up once, with none of otari's own arithmetic."""
        exact = (
            (self.prompt - self.cached) * Fraction(INPUT_USD)
            + self.cached * Fraction(CACHED_USD)
            + self.completion * Fraction(OUTPUT_USD)
        ) * NANO_PER_USD_PER_MILLION
        return -(-exact.numerator // exact.denominator)


class Tally:
    """What was compared, and every complaint."""

    def __init__(self) -> None:
        self.compared = 0
        self.cached = 0
        self.complaints: list[str] = []

    def expect(self, holds: bool, complaint: str) -> None:
        """Note a complaint unless it holds."""
        if not holds:
            self.complaints.append(complaint)


def compare(machine: Machine, asked: Iterable[Asked], tally: Tally) -> None:
    """Print each request beside its row, and note where they differ."""
    machine.quiet()
    rows = {row["request_id"]: row for row in machine.usage()}
    print(ROW.format(*HEADINGS))
    for each in asked:
        row = rows[each.request_id]
        recorded = Tokens.recorded(row)
        told = recorded if each.usage is None else Tokens.reported(each.usage)
        agrees = told == recorded and told.due_nano == nano(row) and row["reason"] == "usage"
        note = "" if each.usage is not None else "by the row's own tokens"
        print(ROW.format(each.label, *told, told.due_nano, nano(row), note if agrees else "MISMATCH"))
        tally.compared += 1
        tally.cached += told.cached
        tally.expect(agrees, f"{each.label}: the model said {told}, the ledger has {row}")
