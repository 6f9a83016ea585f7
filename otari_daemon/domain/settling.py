"""What a request is charged for, by how it ended."""

from __future__ import annotations

from typing import NamedTuple

from otari_daemon.domain.money import ZERO, Nano
from otari_daemon.domain.pricing import ONE_REQUEST, Price, charge
from otari_daemon.domain.records import Reason
from otari_daemon.domain.usage import NOTHING, Usage

TAIL_TOKENS = 64
"""Charged beyond what was seen when we break off: a provider generates on until it notices."""


class Consumption(NamedTuple):
    """What is known of a request's use when it ends: the provider's word, or our own count.

    `generated_tokens` is an estimate from the answer's length; `least_tokens` is what it cannot be below.
    `service` is the provider's service tier that the answer names. `prompt_tokens` is our own count of the
    prompt, where it was still at hand. `pieces` is what it came to by the piece, where that was seen.
    `prompted` is what the provider said of the prompt before its answer broke off, with no output in it; it
    wins over our count. `tool_calls` are those seen that are charged by the call.
    """

    reported: Usage | None = None
    generated_tokens: int = 0
    least_tokens: int = 0
    service: str | None = None
    prompt_tokens: int | None = None
    pieces: Usage | None = None
    prompted: Usage | None = None
    tool_calls: int = 0


class Bill(NamedTuple):
    """Units and amount to settle; `void` when provably nothing was consumed.

    `tier` is the price that was charged, where it is not the one that was presumed at admission.
    """

    usage: Usage
    amount: Nano
    void: bool = False
    tier: Price | None = None


NO_BILL = Bill(NOTHING, ZERO, void=True)
FREE_ENDS = frozenset({Reason.REFUSED, Reason.UNSENT})
_COUNTED_ENDS = frozenset({Reason.ESTIMATED, Reason.USAGE_INVALID, Reason.UPSTREAM_CUT})

_BROKEN_OFF = frozenset({Reason.CLIENT_CUT, Reason.WITHHELD})


def bill(
    reason: Reason,
    seen: Consumption,
    prompt_presumed: int,
    output_max: int,
    price: Price,
    service: str | None = None,
) -> Bill:
    """Apply the rule for one ending. A provider's believable usage always wins over our count.

    `service` is the tier that was asked for; the one that the answer names is what is paid.
    """
    usage = seen.reported
    if usage is None:
        if reason in FREE_ENDS:
            return NO_BILL
        prompt = prompt_presumed if seen.prompt_tokens is None else seen.prompt_tokens
        pieces = ONE_REQUEST if seen.pieces is None else seen.pieces
        prompted = pieces._replace(input=prompt) if seen.prompted is None else seen.prompted
        calls = max(prompted.tool_calls, seen.tool_calls)
        usage = prompted._replace(output=_counted(reason, seen, output_max), tool_calls=calls)
    applied = price.presumed(seen.service or service, usage.input_tokens)
    presumed = price.presumed(service, prompt_presumed)
    return Bill(usage, charge(usage, applied.rates), tier=None if applied is presumed else applied)


def _counted(reason: Reason, seen: Consumption, output_max: int) -> int:
    """Our count of the output. An estimate cannot pass the limit the answer was given; what was seen can."""
    if reason in _COUNTED_ENDS:
        estimated = seen.generated_tokens
    elif reason in _BROKEN_OFF:
        estimated = seen.generated_tokens + TAIL_TOKENS
    else:
        return 0
    return max(seen.least_tokens, min(estimated, output_max))
