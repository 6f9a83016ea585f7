"""What a provider's failure means: to the caller, and to the books."""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

from otari_daemon.domain.errors import GatewayError, Overloaded, RateLimited, UpstreamFailed
from otari_daemon.domain.records import Reason
from otari_daemon.providers.http1.errors import FailureKind, UpstreamError

MESSAGE_CHARS_MAX = 400
RETRY_AFTER_S_MAX = 3600

Headers = tuple[tuple[bytes, bytes], ...]

_TIMEOUTS = frozenset(
    {
        FailureKind.CONNECT_TIMEOUT,
        FailureKind.FIRST_BYTE_TIMEOUT,
        FailureKind.IDLE_TIMEOUT,
        FailureKind.TOTAL_TIMEOUT,
    }
)
_BILLING = re.compile(r"insufficient[_ ](quota|credit|balance)|billing|out of credit|payment", re.I)
_SECRETS = re.compile(
    r"""(?x)
      \b(?:https?|wss?)://\S+
    | \b(?:sk|pk|gw|gsk|xai|key|AIza|hf|org|proj|req|acct)[-_][A-Za-z0-9_\-*.]{4,}
    | \bBearer\s+\S+
    | \b[A-Za-z0-9+/_\-]{32,}={0,2}
    | \b[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::[0-9]+)?\b
    | (?<![\w.])/(?:app|etc|home|mnt|opt|private|root|srv|tmp|usr|var)/\S+
    """
)
_SECRET_CHARS_MIN = 8
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")


class Failure(NamedTuple):
    """One failed call: what to answer, and how to settle."""

    error: GatewayError
    reason: Reason


def of_transport(failure: UpstreamError, answering: bool) -> Failure:
    """A connection that failed. `answering`: the provider had begun to answer."""
    if failure.kind is FailureKind.POOL_FULL:
        error: GatewayError = Overloaded("too many requests are waiting for this provider; retry")
    elif failure.kind in _TIMEOUTS:
        error = UpstreamFailed("LLM provider timeout", status=504, code="upstream_timeout")
    else:
        error = UpstreamFailed("LLM provider error", status=502)
    if not failure.sent:
        return Failure(error, Reason.UNSENT)
    return Failure(error, Reason.UPSTREAM_CUT if answering else Reason.AMBIGUOUS)


def of_status(status: int, retry_after: bytes | None, body: bytes, sent: Headers = ()) -> Failure:
    """A provider that answered with a refusal or an error instead of a completion.

    `sent` are the headers that prove us to the provider; should it repeat them, they are not passed on.
    """
    reason = Reason.REFUSED
    told = _provider_message(body, sent)
    if status == 402 or (status in (400, 422, 429) and told and _BILLING.search(told)):
        error: GatewayError = UpstreamFailed(
            "the upstream provider account is out of credit or over its billing limit; top it up, "
            "or route this model to a provider that has credit",
            status=502,
            code="upstream_billing",
        )
    elif status in (400, 422):
        message = told or "the provider rejected the request as invalid (check the model name and parameters)"
        error = _callers_fault(message, 400, "upstream_rejected")
    elif status == 404:
        error = _callers_fault(
            told or "the requested model was not found on the provider", 404, "model_not_found"
        )
    elif status in (401, 403):
        error = UpstreamFailed(
            "the provider rejected the gateway's credentials", status=502, code="upstream_credentials"
        )
    elif status == 429:
        error = RateLimited("the provider rate-limited this request", retry_after_s=_seconds(retry_after))
        error.code = "upstream_rate_limited"
    elif status in (408, 504):
        error = UpstreamFailed("LLM provider timeout", status=504, code="upstream_timeout")
    else:
        error = UpstreamFailed("LLM provider error", status=502)
    return Failure(error, reason)


def garbled() -> GatewayError:
    """An answer of status 2xx that is none."""
    return UpstreamFailed("LLM provider error: its answer cannot be read", status=502)


def _callers_fault(message: str, status: int, code: str) -> GatewayError:
    return UpstreamFailed(message, status=status, code=code)


def _provider_message(body: bytes, sent: Headers) -> str | None:
    """The provider's own words, without credentials, addresses, ids or control characters."""
    try:
        parsed = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    told = parsed.get("error", parsed.get("message")) if isinstance(parsed, dict) else None
    if isinstance(told, dict):
        told = told.get("message")
    if not isinstance(told, str) or not told.strip():
        return None
    for _, value in sent:
        for word in value.decode("latin-1").split():
            if len(word) >= _SECRET_CHARS_MIN:
                told = told.replace(word, "[redacted]")
    return _SECRETS.sub("[redacted]", _CONTROLS.sub(" ", told)).strip()[:MESSAGE_CHARS_MAX]


def _seconds(retry_after: bytes | None) -> int:
    if retry_after is not None and retry_after.isdigit() and len(retry_after) < 8:
        return max(1, min(int(retry_after), RETRY_AFTER_S_MAX))
    return 1
