"""The bounds of a pool and the deadlines of an exchange, with their defaults."""

from dataclasses import dataclass

from otari_daemon.providers.http1.errors import FailureKind


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """How many connections a pool may hold, and how long a request may queue for one."""

    connections: int = 256
    waiters: int = 200
    queue_s: float = 2.0
    idle: int = 128
    idle_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Deadlines by phase, in seconds.

    `connect_s` includes name resolution and TLS; `first_byte_s` runs from the last byte of the
    request to the end of the response head; `idle_s` bounds each wait for more of the body, in
    either direction; `total_s` runs from `start` to the last byte.
    """

    connect_s: float = 3.0
    first_byte_s: float = 60.0
    idle_s: float = 60.0
    total_s: float = 900.0


OVERDUE = {
    FailureKind.POOL_FULL: "no connection became free in time",
    FailureKind.CONNECT_TIMEOUT: "the upstream could not be reached in time",
    FailureKind.FIRST_BYTE_TIMEOUT: "the upstream did not begin its answer in time",
    FailureKind.IDLE_TIMEOUT: "the upstream fell silent",
    FailureKind.TOTAL_TIMEOUT: "the exchange took too long",
}
