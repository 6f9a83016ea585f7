"""Closing an admission: once, whoever comes first, without waiting."""

from __future__ import annotations

from collections.abc import Callable

from otari_daemon.control.plane import Admission, ControlPlane, Ending, Ticket
from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import FREE_ENDS, Consumption

NOTHING_SEEN = Consumption()


class Settlement:
    """Tells the control plane how a request ended. Later calls change nothing.

    `count_prompt` counts the prompt again, should nobody else have; without it, what was presumed holds.
    `answered_ns` is set to the monotonic moment at which the provider begins to answer, `provider_ref` to
    what it calls the request.
    """

    __slots__ = ("_admission", "_count_prompt", "_plane", "answered_ns", "provider_ref", "ticket")

    def __init__(
        self, plane: ControlPlane, admission: Admission, count_prompt: Callable[[], int] | None
    ) -> None:
        self._count_prompt = count_prompt
        self._plane = plane
        self._admission = admission
        self.ticket: Ticket | None = None
        self.answered_ns = 0
        self.provider_ref = ""

    def close(self, reason: Reason, seen: Consumption = NOTHING_SEEN, status: int = 0) -> Ticket:
        """Settle, and give the ticket that says when that is on disk."""
        if self.ticket is None:
            known = seen.reported or seen.prompted
            if known is None and reason not in FREE_ENDS and self._count_prompt is not None:
                seen = seen._replace(prompt_tokens=self._count_prompt())
            self._count_prompt = None
            ending = Ending(reason, seen, status, self.answered_ns, self.provider_ref)
            self.ticket = self._plane.settle(self._admission, ending)
        return self.ticket
