"""Amounts are whole nano-USD, rates whole pico-USD per unit; decimals exist at the edges only."""

from __future__ import annotations

import re
from typing import NewType

Nano = NewType("Nano", int)
"""An amount in nano-USD (1e-9 USD)."""

Pico = NewType("Pico", int)
"""A rate in pico-USD (1e-12 USD) per unit: a token, an image, a second, a call."""

ZERO = Nano(0)
NANO_PER_USD = 1_000_000_000
PICO_PER_NANO = 1_000
AMOUNT_MAX = Nano(9_000_000_000 * NANO_PER_USD)
"""The largest amount anyone may name: what a signed 64-bit column holds, with room to add."""

PICO_PER_USD_PER_MILLION = 1_000_000
"""$1 per million tokens is this many pico-USD per token."""

_DECIMAL = re.compile(r"\$?([0-9]{1,12})(?:\.([0-9]{1,18}))?")


class AmountError(ValueError):
    """Text that is not a usable amount of dollars."""


def parse_usd(text: str) -> Nano:
    """Read dollars like `5`, `$0.25` or `12.5` exactly; more than nine decimals is an error."""
    return Nano(_scaled(text, 9, "nine"))


def parse_usd_per_million(text: str) -> Pico:
    """Read a rate in dollars per million units exactly; more than six decimals is an error."""
    return Pico(_scaled(text, 6, "six"))


def parse_usd_each(text: str) -> Pico:
    """Read the price of one piece in dollars exactly; more than twelve decimals is an error."""
    return Pico(_scaled(text, 12, "twelve"))


def _scaled(text: str, digits: int, digits_word: str) -> int:
    match = _DECIMAL.fullmatch(text.strip())
    if match is None:
        raise AmountError(f"{text!r} is not an amount in dollars, like 5 or 0.25")
    whole, fraction = match[1], (match[2] or "").rstrip("0")
    if len(fraction) > digits:
        raise AmountError(f"{text!r} has more than {digits_word} decimals")
    scaled = int(whole + fraction.ljust(digits, "0"))
    if scaled > AMOUNT_MAX:
        raise AmountError(f"{text!r} is larger than any amount this ledger can hold")
    return scaled


def format_usd(amount: int) -> str:
    """Write nano-USD as decimal dollars with at least two decimals, exactly: `0.0186`, `-1.50`."""
    return _decimal(amount, 9)


def format_usd_per_million(rate: int) -> str:
    """Write a rate per unit as decimal dollars per million units, exactly."""
    return _decimal(rate, 6)


def format_usd_pico(amount: int) -> str:
    """Write pico-USD as decimal dollars, exactly."""
    return _decimal(amount, 12)


def _decimal(scaled: int, digits: int) -> str:
    sign = "-" if scaled < 0 else ""
    whole, fraction = divmod(abs(scaled), 10**digits)
    decimals = f"{fraction:0{digits}d}".rstrip("0").ljust(2, "0")
    return f"{sign}{whole}.{decimals}"
