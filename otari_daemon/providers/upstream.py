"""A configured provider as the pipeline sees it: where it is, and how to ask it.

Two modules keep these promises: `pooled` over our own client, `via_httpx` over stock httpx.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol, Self

from otari_daemon.config.secret import SecretUrl
from otari_daemon.providers.form import Sending
from otari_daemon.providers.http1.limits import PoolLimits, Timeouts
from otari_daemon.wire.usage_format import UsageFormat
from otari_daemon.wire.usage_openai import CHAT

USER_AGENT = b"otari"

Headers = tuple[tuple[bytes, bytes], ...]


class Place(NamedTuple):
    """Everything needed to reach a provider. `headers` carry its credential and never show.

    `defaults` are headers that a request may bring its own for; `needs_limit`: each request must limit its
    output. `via_httpx` chooses the client, and only httpx goes through a `proxy`.
    """

    name: str
    type: str
    base_url: str
    headers: Headers = ()
    defaults: Headers = ()
    timeouts: Timeouts = Timeouts()
    limits: PoolLimits = PoolLimits()
    output_limit_field: str = "max_tokens"
    needs_limit: bool = False
    speaks: Mapping[str, UsageFormat] = MappingProxyType({"chat": CHAT})
    ca_file: str | None = None
    verify_tls: bool = True
    via_httpx: bool = False
    proxy: SecretUrl | None = None

    @property
    def fixed_headers(self) -> Headers:
        """What every request carries: who asks, that the answer comes as it is, and the credential."""
        return self.headers_with(())

    def headers_with(self, own: Headers) -> Headers:
        """The headers of a request that brings some of its `own`; what the operator has set stays."""
        ours = {name for name, _ in self.headers}
        brought = {name for name, _ in own}
        return (
            (b"user-agent", USER_AGENT),
            (b"accept-encoding", b"identity"),
            (b"content-type", b"application/json"),
            *(each for each in self.defaults if each[0] not in ours | brought),
            *(each for each in own if each[0] not in ours),
            *self.headers,
        )

    def form_headers(self, form: Sending, request_id: str) -> tuple[tuple[bytes, bytes], ...]:
        """What a request carries whose body is `form`."""
        return (
            *(field for field in self.fixed_headers if field[0] != b"content-type"),
            (b"content-type", form.content_type),
            (b"content-length", b"%d" % form.length),
            (b"x-request-id", request_id.encode()),
        )


class Exchange(Protocol):
    """A request and its answer; inert until `start`, over at the latest after the place's `total_s`.

    Used from one task and closed on every way out; `abort` and `close` are synchronous and may be
    called at any time from any callback. What fails is an UpstreamError.
    """

    @property
    def status(self) -> int:
        """The answer's status; 0 until its head has come."""

    @property
    def headers(self) -> Sequence[tuple[bytes, bytes]]:
        """The answer's fields in the order received; names are lower-case."""

    @property
    def length(self) -> int:
        """Bytes of the answer's body, negative while only its end will tell."""

    @property
    def sent(self) -> bool:
        """Whether any byte of the request may have reached the provider."""

    @property
    def unread(self) -> int:
        """Bytes of the body that have come and were not taken."""

    async def start(self) -> Self:
        """Send the request and return once the head is in; raises UpstreamError or `abort`'s reason."""

    def header(self, name: bytes) -> bytes | None:
        """Return the first value of a field, by its lower-case name."""

    async def next_chunk(self) -> bytes:
        """Return whatever has arrived, waiting for something if need be; b"" at the end."""

    async def read(self, limit: int) -> bytes:
        """Return the rest of the body, of at most `limit` bytes; UpstreamError beyond."""

    def nudge(self) -> None:
        """Have a `next_chunk` that waits raise Quiet; waiting again goes on where that left off."""

    def abort(self, reason: BaseException) -> None:
        """Break off; who waits, and who asks later, gets exactly `reason`."""

    def close(self) -> None:
        """Give up what is left; safe to repeat."""


class Upstream(Protocol):
    """One provider's connections. Made inside the event loop that uses it."""

    @property
    def name(self) -> str:
        """What the configuration calls the provider."""

    @property
    def type(self) -> str:
        """The provider's type, a key of the registry."""

    @property
    def place(self) -> Place:
        """Where it is."""

    @property
    def mock(self) -> bool:
        """Whether this is the built-in mock: its answers are made up, and labeled so."""

    def post(self, path: str, body: bytes, request_id: str, own: Headers = ()) -> Exchange:
        """An exchange that posts JSON to a path under the base URL; `start` it to send it.

        `own` are headers the request brings, by lower-case names.
        """

    def post_form(self, path: str, form: Sending, request_id: str) -> Exchange:
        """An exchange that posts a form; sent piece by piece while `start` is awaited."""

    def break_off(self) -> None:
        """Fail every exchange at once; none can be started afterwards."""

    async def aclose(self) -> None:
        """Break off, and return when the connections are closed."""
