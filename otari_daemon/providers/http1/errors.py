"""What can go wrong between us and an upstream, and how much of the request had left by then."""

from enum import Enum


class FailureKind(Enum):
    """The phase or cause of a failure; values are stable and fit for a metric label."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    CONNECT_TIMEOUT = "connect_timeout"
    POOL_FULL = "pool_full"
    WRITE = "write"  # the connection was lost while a streamed request body was under way
    FIRST_BYTE_TIMEOUT = "first_byte_timeout"
    IDLE_TIMEOUT = "idle_timeout"
    TOTAL_TIMEOUT = "total_timeout"
    RESET = "reset"  # closed before the answer was whole
    PROTOCOL = "protocol"  # not HTTP/1.1 as we accept it
    HEADERS_TOO_LARGE = "headers_too_large"
    BODY_TOO_LARGE = "body_too_large"


class Quiet(Exception):
    """Nothing has come yet: a wait that was nudged ends with this, and may be taken up again."""


class UpstreamError(Exception):
    """An exchange that did not yield a whole answer.

    `sent` says whether any byte of the request may have reached the peer: while it is False,
    sending again is safe. `started` says whether any byte of an answer was seen. The message
    is ours alone: it holds nothing of the request, the answer or the address.
    """

    def __init__(self, kind: FailureKind, message: str, *, sent: bool = False, started: bool = False) -> None:
        super().__init__(message)
        self.kind = kind
        self.sent = sent
        self.started = started
