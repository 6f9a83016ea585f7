"""Who changes something."""

from __future__ import annotations

from dataclasses import dataclass

NO_PID, NO_UID = 0, -1


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asked for a change, as the kernel vouches for it, and the reason they gave.

    With an `address` it is whoever presented the master key from there: no process of this machine.
    """

    pid: int
    uid: int
    reason: str | None = None
    address: str | None = None

    @classmethod
    def with_master_key(cls, address: str) -> Actor:
        """Somebody on the network who has the master key."""
        return cls(NO_PID, NO_UID, address=address)

    @property
    def who(self) -> str:
        """The actor as the audit log names it."""
        if self.address is None:
            return f"uid={self.uid} pid={self.pid}"
        return f'actor="master key" address={self.address}'
