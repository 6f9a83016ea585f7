"""Closing an admission: once, whoever comes first, without waiting."""

from __future__ import annotations

from otari_daemon.control.plane import Admission, ControlPlane, Ending, Ticket
from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import Consumption

NOTHING_SEEN = Consumption()


class Settlement:
    """Tells the control plane how a request ended. Later calls change nothing.

    `answered_ns` is set to the monotonic moment at which the provider begins to answer, `provider_ref` to
    what it calls the request.
    """

    __slots__ = ("_admission", "_plane", "answered_ns", "provider_ref", "ticket")

    def __init__(self, plane: ControlPlane, admission: Admission) -> None:
        self._plane = plane
        self._admission = admission
        self.ticket: Ticket | None = None
        self.answered_ns = 0
        self.provider_ref = ""

    def close(self, reason: Reason, seen: Consumption = NOTHING_SEEN, status: int = 0) -> Ticket:
        """Settle, and give the ticket that says when that is on disk."""
        if self.ticket is None:
            ending = Ending(reason, seen, status, self.answered_ns, self.provider_ref)
            self.ticket = self._plane.settle(self._admission, ending)
        return self.ticket
