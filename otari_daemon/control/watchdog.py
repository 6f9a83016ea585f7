"""The end of holds that nobody else ends: a defect of ours, counted, never a stuck budget."""

from __future__ import annotations

import logging
from collections.abc import Callable

from otari_daemon.control.ledger import Ledger
from otari_daemon.control.plane import Admission, Ending, Ticket
from otari_daemon.domain.records import Reason, request_id_of

GRACE_NS = 60 * 10**9
"""Beyond all its attempts may take in total; nothing that works is as slow."""

LOOK_NS = 10 * 10**9
"""Between two looks at the open holds, which are as many as requests in flight."""

_log = logging.getLogger("otari.ledger")


class Watchdog:
    """Settles this daemon's own holds that are older than they can be, by monotonic time, as ambiguous."""

    def __init__(self, ledger: Ledger, monotonic_ns: Callable[[], int]) -> None:
        self._ledger = ledger
        self._monotonic_ns = monotonic_ns
        self._looked_ns = monotonic_ns()

    def look(self, settle: Callable[[Admission, Ending], Ticket]) -> None:
        """Look, unless that was less than `LOOK_NS` ago, and close what has leaked."""
        now_ns = self._monotonic_ns()
        if now_ns - self._looked_ns < LOOK_NS:
            return
        self._looked_ns = now_ns
        for hold in tuple(self._ledger.book.open_holds.values()):
            admission = hold.owner
            if isinstance(admission, Admission) and now_ns > _latest_ns(admission):
                settle(admission, Ending(Reason.AMBIGUOUS))
                admission.expired = True
                self._ledger.hold_leaks += 1
                _log.error("hold %s was never settled; closed as ambiguous", request_id_of(hold.rid))


def _latest_ns(admission: Admission) -> int:
    """The moment until which an admission may be open, its attempts made one after the other."""
    total_s = sum(attempt.upstream.place.timeouts.total_s for attempt in admission.attempts)
    started_ns: int = admission.grant.started_ns
    return started_ns + round(total_s * 10**9) + GRACE_NS
