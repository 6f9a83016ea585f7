"""A pooled HTTP/1.1 client: `Pool` for the hot path, `PooledTransport` for everything else.

    origin, base = Origin.parse("https://api.example.com/v1")
    pool = Pool(origin)
    exchange = pool.begin(request_head(b"GET", b"/v1/models", origin.authority))
    try:
        await exchange.start()
        body = await exchange.read(limit=1_000_000)
    finally:
        exchange.close()

`begin` does nothing but make the exchange, so that its `abort` can be handed to whoever
watches the client before the exchange waits for the first time. A request is never sent
twice: an UpstreamError says whether any of it had left, and retrying is the caller's choice.
Answers come as they are: nothing is decoded, so ask for `accept-encoding: identity`.
"""

from otari_daemon.providers.http1.errors import FailureKind, UpstreamError
from otari_daemon.providers.http1.exchange import Exchange
from otari_daemon.providers.http1.heads import header_block, request_head
from otari_daemon.providers.http1.limits import PoolLimits, Timeouts
from otari_daemon.providers.http1.origin import Origin, tls_context
from otari_daemon.providers.http1.pool import Pool, PoolStats
from otari_daemon.providers.http1.transport import PooledTransport

__all__ = [
    "Exchange",
    "FailureKind",
    "Origin",
    "Pool",
    "PoolLimits",
    "PoolStats",
    "PooledTransport",
    "Timeouts",
    "UpstreamError",
    "header_block",
    "request_head",
    "tls_context",
]
