"""A configured provider, ready to be asked: where it is, what proves us to it, and its pool."""

from __future__ import annotations

from typing import NamedTuple

from otari_daemon.providers.http1.exchange import Exchange
from otari_daemon.providers.http1.heads import header_block, request_head
from otari_daemon.providers.http1.limits import PoolLimits, Timeouts
from otari_daemon.providers.http1.origin import Origin, tls_context
from otari_daemon.providers.http1.pool import Pool

USER_AGENT = b"otari"


class Place(NamedTuple):
    """Everything needed to reach a provider. `headers` carry its credential and never show."""

    name: str
    type: str
    base_url: str
    headers: tuple[tuple[bytes, bytes], ...] = ()
    timeouts: Timeouts = Timeouts()
    limits: PoolLimits = PoolLimits()
    output_limit_field: str = "max_tokens"
    ca_file: str | None = None
    verify_tls: bool = True


class Upstream:
    """One provider's connections. Made inside the event loop that uses it."""

    def __init__(self, place: Place) -> None:
        origin, self._base = Origin.parse(place.base_url)
        tls = None
        if origin.scheme == "https":
            tls = tls_context(place.ca_file, verify=place.verify_tls)
        self.name = place.name
        self.type = place.type
        self.place = place
        self.pool = Pool(origin, place.limits, place.timeouts, tls)
        self._authority = origin.authority
        self._block = header_block(
            (
                (b"user-agent", USER_AGENT),
                (b"accept-encoding", b"identity"),
                (b"content-type", b"application/json"),
                *place.headers,
            )
        )
        self._heads: dict[str, bytes] = {}

    @property
    def mock(self) -> bool:
        """Whether this is the built-in mock: its answers are made up, and labeled so."""
        return self.type == "mock"

    def post(self, path: str, body: bytes, request_id: str) -> Exchange:
        """An exchange that posts JSON to a path under the base URL; `start` it to send it."""
        head = self._heads.get(path) or self._head(path)
        fields = b"x-request-id: %b\r\ncontent-length: %d\r\n\r\n" % (request_id.encode(), len(body))
        return self.pool.begin(head + fields, body)

    async def aclose(self) -> None:
        """Close every connection."""
        await self.pool.aclose()

    def _head(self, path: str) -> bytes:
        """The constant part of a request's head; there is one per path of the route table."""
        whole = request_head(b"POST", (self._base + path).encode(), self._authority, block=self._block)
        head = self._heads[path] = whole.removesuffix(b"\r\n")
        return head
