"""Headers that say how a caller's limits stand: the predecessor's three, and OpenAI's for each kind."""

from __future__ import annotations

from falcon.asgi import Response

from otari_daemon.domain.limits import Quota, Standing


def tell(resp: Response, standing: Standing) -> None:
    """Say how the limits on requests and tokens stand.

    The first three are those of requests, or else of what refused. `x-ratelimit-reset` is an epoch second;
    `x-ratelimit-reset-*` are spans like `42s`, until all is free.
    """
    requests, tokens, parallel = standing
    foremost = requests or parallel or tokens
    if foremost is not None:
        resp.set_header("x-ratelimit-limit", str(foremost.limit))
        resp.set_header("x-ratelimit-remaining", str(foremost.remaining))
        resp.set_header("x-ratelimit-reset", str(foremost.reset_s))
    if requests is not None:
        _of_kind(resp, "requests", requests)
    if tokens is not None:
        _of_kind(resp, "tokens", tokens)


def _of_kind(resp: Response, kind: str, quota: Quota) -> None:
    resp.set_header(f"x-ratelimit-limit-{kind}", str(quota.limit))
    resp.set_header(f"x-ratelimit-remaining-{kind}", str(quota.remaining))
    resp.set_header(f"x-ratelimit-reset-{kind}", f"{quota.full_s}s")
