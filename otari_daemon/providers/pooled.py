"""A provider asked through our own pooled client: the way of nearly every request."""

from __future__ import annotations

from otari_daemon.providers.form import Sending
from otari_daemon.providers.http1.exchange import Exchange
from otari_daemon.providers.http1.heads import header_block, request_head
from otari_daemon.providers.http1.origin import Origin, tls_context
from otari_daemon.providers.http1.pool import Pool
from otari_daemon.providers.upstream import Headers, Place


class PooledUpstream:
    """One provider's pool. Made inside the event loop that uses it."""

    def __init__(self, place: Place) -> None:
        origin, self._base = Origin.parse(place.base_url)
        tls = None
        if origin.scheme == "https":
            tls = tls_context(place.ca_file, verify=place.verify_tls)
        self.name = place.name
        self.type = place.type
        self.place = place
        self._pool = Pool(origin, place.limits, place.timeouts, tls)
        self._authority = origin.authority
        self._block = header_block(place.fixed_headers)
        self._heads: dict[str, bytes] = {}

    @property
    def mock(self) -> bool:
        """Whether this is the built-in mock: its answers are made up, and labeled so."""
        return self.type == "mock"

    def post(self, path: str, body: bytes, request_id: str, own: Headers = ()) -> Exchange:
        """An exchange that posts JSON to a path under the base URL; `start` it to send it."""
        if own:
            head = self._made(path, header_block(self.place.headers_with(own)))
        else:
            head = self._heads.get(path) or self._head(path)
        fields = b"x-request-id: %b\r\ncontent-length: %d\r\n\r\n" % (request_id.encode(), len(body))
        return self._pool.begin(head + fields, body)

    def post_form(self, path: str, form: Sending, request_id: str) -> Exchange:
        """An exchange that posts a form, piece by piece, under the base URL."""
        target = (self._base + path).encode()
        fields = self.place.form_headers(form, request_id)
        return self._pool.begin_upload(
            request_head(b"POST", target, self._authority, fields), form, form.length
        )

    def break_off(self) -> None:
        """Fail every exchange at once; none can be started afterwards."""
        self._pool.close()

    async def aclose(self) -> None:
        """Break off, and return when the connections are closed."""
        await self._pool.aclose()

    def _head(self, path: str) -> bytes:
        """The constant part of a request's head; there is one per path of the route table."""
        head = self._heads[path] = self._made(path, self._block)
        return head

    def _made(self, path: str, block: bytes) -> bytes:
        whole = request_head(b"POST", (self._base + path).encode(), self._authority, block=block)
        return whole.removesuffix(b"\r\n")
