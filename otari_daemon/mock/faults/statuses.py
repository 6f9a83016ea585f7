"""Faults by status: what providers say when they decline."""

from functools import partial

from otari_daemon.mock.exchange import Exchange
from otari_daemon.mock.faults.table import Fault
from otari_daemon.mock.frames import head, whole
from otari_daemon.mock.refusal import Decline

_INVALID = "invalid_request_error"

_STATUSES = {
    "s400": Decline(400, _INVALID, None, "mock: the request is malformed"),
    "s401": Decline(401, _INVALID, "invalid_api_key", "mock: incorrect API key"),
    "s403": Decline(403, _INVALID, "permission_denied", "mock: not permitted"),
    "s404": Decline(404, _INVALID, "model_not_found", "mock: no such model"),
    "s408": Decline(408, "timeout_error", None, "mock: the request took too long"),
    "s409": Decline(409, "conflict_error", None, "mock: conflict"),
    "s413": Decline(413, _INVALID, "request_too_large", "mock: the request is too large"),
    "s422": Decline(422, _INVALID, None, "mock: the request cannot be processed"),
    "s500": Decline(500, "server_error", None, "mock: internal error"),
    "s502": Decline(502, "server_error", None, "mock: bad gateway"),
    "s504": Decline(504, "server_error", None, "mock: gateway timeout"),
    "s529": Decline(529, "overloaded_error", "overloaded", "mock: overloaded"),
    "s200_error": Decline(200, "server_error", "internal_error", "mock: failed, yet says 200"),
}
_RETRY_LATER = {
    "s429": Decline(429, "rate_limit_error", "rate_limit_exceeded", "mock: too many requests"),
    "s503": Decline(503, "server_error", "overloaded", "mock: unavailable"),
}
_REDIRECTS: dict[str, tuple[int, bytes | None]] = {
    "redirect_same": (307, None),
    "redirect_metadata": (302, b"http://169.254.169.254/latest/meta-data/"),
}


async def _decline(x: Exchange, _: int, *, decline: Decline) -> None:
    x.last(whole(decline.status, x.wording(decline), x.tag))


async def _decline_for(x: Exchange, retry_after_s: int, *, decline: Decline) -> None:
    x.last(whole(decline.status, x.wording(decline), x.tag, b"retry-after: %d" % retry_after_s))


async def _decline_billed(x: Exchange, _: int, *, decline: Decline) -> None:
    """Decline after the work was done: the error stands beside the usage that is charged."""
    x.generate(x.answer.usage.completion_tokens)
    error = x.wording(decline)[:-1] + b',"usage":' + (x.wire.usage() or b"null") + b"}"
    x.last(whole(decline.status, error, x.tag))


async def _redirect(x: Exchange, _: int, *, status: int, location: bytes | None) -> None:
    """Send elsewhere; without a `location`, to where the request came."""
    x.last(head(status, b"location: " + (location or x.request.target), b"content-length: 0", x.tag))


async def _no_content(x: Exchange, _: int) -> None:
    x.last(head(204, x.tag))


FAULTS = (
    {n: Fault(partial(_decline, decline=s), executes=False) for n, s in _STATUSES.items()}
    | {n: Fault(partial(_decline_for, decline=s), default=1, executes=False) for n, s in _RETRY_LATER.items()}
    | {
        n: Fault(partial(_redirect, status=status, location=location), executes=False)
        for n, (status, location) in _REDIRECTS.items()
    }
    | {
        f"{n}_billed": Fault(partial(_decline_billed, decline=_STATUSES[n]))
        for n in ("s400", "s500", "s200_error")
    }
    | {"s204": Fault(_no_content, executes=False)}
)
