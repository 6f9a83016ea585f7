"""How many requests may be made: at once per key, and per minute per user. Pure: the time is an argument."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

MINUTE_NS = 60 * 10**9
SECOND_NS = 10**9

SUBJECTS_MAX = 100_000
"""Users whose pace is remembered; beyond, whoever was admitted longest ago is taken for rested."""


class Limits(NamedTuple):
    """Bounds on requests: in flight in all, in flight per key, per minute and user (None: no limit).

    `throttled` requests at a time wait for room under budgets, each at most `throttle_wait_s`.
    """

    in_flight: int
    in_flight_per_key: int
    per_minute: int | None = None
    throttled: int = 200
    throttle_wait_s: float = 10.0


class Standing(NamedTuple):
    """A limit as its caller is told of it; `reset_s` is the epoch second when all of it is free again."""

    limit: int
    remaining: int
    reset_s: int


class Paced(NamedTuple):
    """What a rate limit says of one request: admitted if `wait_ns` is 0, else worth trying again after it.

    `rested_ns` is how long until a whole minute's number may be made at once again.
    """

    wait_ns: int
    remaining: int
    rested_ns: int


class Pace:
    """A rate per minute and subject, as GCRA: after a minute's rest all at once, then evenly.

    It never refuses what a log of the last 60 s would admit, and in any t seconds admits at most
    `per_minute * (1 + t / 60)`. Times are kept multiplied by `per_minute`, so that nothing is rounded.
    """

    def __init__(self, per_minute: int, subjects_max: int = SUBJECTS_MAX) -> None:
        self.per_minute = per_minute
        self._subjects_max = subjects_max
        self._burst = per_minute * MINUTE_NS
        self._rested_at: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._rested_at)

    def take(self, subject: str, now_ns: int) -> Paced:
        """Count one request of `subject`, or refuse it and change nothing. `now_ns` never goes back."""
        rate = self.per_minute
        now = now_ns * rate
        rested_at = self._rested_at.get(subject, 0)
        busy = rested_at - now if rested_at > now else 0
        room = self._burst - busy - MINUTE_NS
        if room < 0:
            return Paced(-(room // rate), 0, -(-busy // rate))
        busy += MINUTE_NS
        self._rested_at[subject] = now + busy
        self._rested_at.move_to_end(subject)
        if len(self._rested_at) > self._subjects_max:
            self._rested_at.popitem(last=False)
        return Paced(0, room // MINUTE_NS, -(-busy // rate))


class Slots:
    """How many requests each key has in flight; keys without any are not kept."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def of(self, key_id: str) -> int:
        """Requests a key has in flight."""
        return self._taken.get(key_id, 0)

    def take(self, key_id: str) -> None:
        """One more."""
        self._taken[key_id] = self._taken.get(key_id, 0) + 1

    def give_back(self, key_id: str) -> None:
        """One less. Raises KeyError for a key that has none."""
        left = self._taken[key_id] - 1
        if left:
            self._taken[key_id] = left
        else:
            del self._taken[key_id]

    def taken(self) -> dict[str, int]:
        """A copy of all counts, by key."""
        return dict(self._taken)


def seconds_up(span_ns: int) -> int:
    """Whole seconds that are not less than a span."""
    return -(-span_ns // SECOND_NS)
