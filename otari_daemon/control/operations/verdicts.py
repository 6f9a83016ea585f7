"""Every end of a request in words: why it cost what it did or was turned away, and what to do about it."""

from __future__ import annotations

from typing import NamedTuple

from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import TAIL_TOKENS


class Verdict(NamedTuple):
    """Why, in one sentence, and what an operator can do; both lower case, without a full stop."""

    why: str
    advice: str


OPEN = Verdict(
    "it is still running; what is held covers the most it can cost",
    "nothing: the hold closes when the request ends, or when the next daemon finds it after a crash",
)

SETTLED = {
    Reason.USAGE: Verdict(
        "the provider said what was used, and that is charged",
        "nothing, unless the price is wrong: set it, then `otari usage reprice`",
    ),
    Reason.ESTIMATED: Verdict(
        "the answer was whole but came without usage, so our own count of it is charged",
        "compare with the provider's bill: `otari reconcile`",
    ),
    Reason.USAGE_INVALID: Verdict(
        "the provider reported usage that cannot be true, so our own count is charged",
        "report it to the provider, and compare with its bill: `otari reconcile`",
    ),
    Reason.CLIENT_CUT: Verdict(
        "the client left before the end; charged is what the provider reported, or else our count of what "
        f"had come and up to {TAIL_TOKENS} tokens that were generated until the provider noticed",
        "raise the client's timeout if it gives up too early",
    ),
    Reason.UPSTREAM_CUT: Verdict(
        "the provider broke off or fell silent in the middle; charged is what it reported, or else our "
        "count of what had come",
        "ask again; if it lasts, look at the provider's timeouts and its own status",
    ),
    Reason.REFUSED: Verdict(
        "the provider refused before any token, so only usage it reported is charged",
        "see what the caller was answered; a wrong model name, parameter or provider key is most likely",
    ),
    Reason.UNSENT: Verdict(
        "the provider was provably never asked, so nothing is charged",
        "check that the provider can be reached, and that it is not overloaded",
    ),
    Reason.AMBIGUOUS: Verdict(
        "the provider was asked and not one byte came back, so the prompt is charged: it may have been read",
        "compare with the provider's bill: `otari reconcile` credits what it did not charge",
    ),
    Reason.WITHHELD: Verdict(
        "the provider began to answer but the ledger could not be written, so nothing was passed on; charged "
        f"is the prompt and up to {TAIL_TOKENS} tokens that were generated until the provider noticed",
        "see `otari status`: the disk is full, locked or failing; then `otari reconcile`",
    ),
    Reason.CRASH: Verdict(
        "the daemon died while this was running; the next one charged what was known of it, never more "
        "than was held",
        "compare with the provider's bill: `otari reconcile`; see the log for why the daemon died",
    ),
}
"""How each end is charged."""

TURNED_AWAY = "it was turned away before any provider was asked, so nothing was held and nothing is charged"

REFUSED = {
    "invalid_request": Verdict(
        "the request could not be understood or may not be made", "correct what the message names"
    ),
    "body_too_large": Verdict("its files are larger than the endpoint takes", "send less at once"),
    "invalid_api_key": Verdict(
        "its credential is of no key that works: missing, mistyped, expired or revoked",
        "see `otari keys list`, and make one with `otari keys create`",
    ),
    "unpriced_model": Verdict(
        "its model has no price, so no budget could cover it", "price it: `otari pricing set MODEL`"
    ),
    "forbidden": Verdict("its caller may not do this", "give them a key that may"),
    "user_blocked": Verdict(
        "an operator has blocked its user", "if that is over: `otari users unblock USER`"
    ),
    "frozen": Verdict(
        "an operator has frozen its key or user for now", "see `otari freeze`; end it with `otari unfreeze`"
    ),
    "model_not_allowed": Verdict(
        "its key may not use this model", "see `otari keys show KEY` for those it may use"
    ),
    "budget_exceeded": Verdict(
        "a budget had no room for the most it could cost",
        "wait for the budget's next period, raise it with `otari budgets set`, or lower max_tokens",
    ),
    "not_found": Verdict("what it names is not here", "see `otari models` for what can be asked for"),
    "conflict": Verdict("it does not fit what is there now", "look again at what is there, then repeat it"),
    "idempotency_key_in_use": Verdict(
        "a request with the same idempotency key was still running", "wait for that one's answer"
    ),
    "already_completed": Verdict(
        "the request of its idempotency key has been made, and its answer is not kept for another",
        "use a new key to make it again",
    ),
    "idempotency_key_reused": Verdict(
        "its idempotency key was used for another body before", "have the client make a key for each request"
    ),
    "idempotency_keys_exhausted": Verdict(
        "its key has used as many idempotency keys in a day as are kept", "send fewer of them, or wait"
    ),
    "rate_limit_exceeded": Verdict(
        "its key or user made too many requests at once or in a minute",
        "spread the requests, or raise the limits in the configuration",
    ),
    "management_off": Verdict(
        "there is no master key, so nothing is managed over TCP", "set `master_key`, or use the admin socket"
    ),
    "overloaded": Verdict("there was too much in flight", "try it again a moment later"),
    "ledger_unavailable": Verdict(
        "the books could not be written, and without them nothing billable is admitted",
        "see `otari status`: the disk is full, locked or failing",
    ),
    "internal_error": Verdict("the daemon has a defect", "see its log, and report it"),
}
"""Why each code turns a request away."""

_BY_STATUS = {
    4: Verdict("the request may not be made as it is", "see the message, and the code in the manual"),
    5: Verdict("the daemon could not take it", "try it again; see `otari status` if it lasts"),
}


def settled(reason: Reason | None) -> Verdict:
    """The verdict on a request that was admitted; None is one that still runs."""
    return OPEN if reason is None else SETTLED[reason]


def refused(code: str, status: int) -> Verdict:
    """The verdict on a request that was turned away."""
    return REFUSED.get(code) or _BY_STATUS[5 if status >= 500 else 4]
