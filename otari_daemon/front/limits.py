"""The bounds of the front: what one connection may send, hold and wait for."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class FrontLimits:
    """Sizes in bytes, waits in seconds; the defaults are those of the public edge.

    `body_bytes_by_prefix` pairs a path prefix with its own body limit; the first that is the path, or a
    whole-segment start of it, wins over `body_bytes`.
    """

    head_bytes: int = 32 * KIB
    field_count: int = 100
    line_bytes: int = 16 * KIB
    target_bytes: int = 8 * KIB
    body_bytes: int = 20 * MIB
    body_bytes_by_prefix: tuple[tuple[str, int], ...] = ()
    write_buffer_bytes: int = 64 * KIB
    max_connections: int = 4096
    requests_per_connection: int = 1000

    head_s: float = 10.0
    body_s: float = 30.0
    body_s_per_mib: float = 1.0
    idle_s: float = 30.0
    write_s: float = 30.0
    linger_s: float = 2.0

    def body_limit(self, path: str) -> int:
        """Return how many body bytes a request to `path` may carry."""
        for prefix, limit in self.body_bytes_by_prefix:
            if path == prefix or path.startswith(prefix.rstrip("/") + "/"):
                return limit
        return self.body_bytes

    def body_allowed_s(self, received: int) -> float:
        """Return how long a body may take of which so many bytes have come."""
        return self.body_s + self.body_s_per_mib * received / MIB

    def least_body_limit(self) -> int:
        """Return how many body bytes are within the limit of every path."""
        return min([self.body_bytes, *(limit for _, limit in self.body_bytes_by_prefix)])
