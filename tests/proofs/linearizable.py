"""Does an order exist that explains what concurrent clients of a bounded counter saw?

A call is some steps that took effect, in their order, between its beginning and its end. The search walks the
history by time and keeps every set of steps that may have happened by now; when a call ends, all its steps
must have. (Wing and Gong 1993, linearizing just in time.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

STATES_MAX = 200_000
"""States kept at once: eight clients of two steps have at most 6,561."""


class Step(NamedTuple):
    """One effect on the counter: `change` is added; `asked` did fit under the limit, or did not."""

    change: int
    asked: int
    fitted: bool

    def allowed(self, used: int, limit: int) -> bool:
        """Whether this could happen with so much in use."""
        return self.fitted == (used + self.asked <= limit)


def admitted(amount: int) -> Step:
    """An amount was set aside."""
    return Step(amount, amount, True)


def refused(amount: int) -> Step:
    """There was no room for an amount."""
    return Step(0, amount, False)


def released(amount: int) -> Step:
    """An amount was given back; that always fits."""
    return Step(-amount, -amount, True)


class Call(NamedTuple):
    """What one client did, between two moments of a clock that all clients share; no moment is used twice."""

    began: int
    ended: int
    steps: tuple[Step, ...]


_BITS = 2
_STEPS_MAX = (1 << _BITS) - 1
"""Steps a call may have: how many of them are done is two bits of a state, at the call's own place."""


class _Search:
    """States are what may have happened by now: steps done of the open calls, and what that adds up to."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: dict[int, tuple[Step, ...]] = {}
        self._states = {0: 0}

    def begin(self, steps: tuple[Step, ...]) -> int:
        """Let a call begin; give its place."""
        assert len(steps) <= _STEPS_MAX
        shift = next(at for at in range(0, len(self._open) * _BITS + _BITS, _BITS) if at not in self._open)
        self._open[shift] = steps
        return shift

    def end(self, shift: int) -> bool:
        """Let a call end; False when no order has all its steps done by now."""
        self._reach(shift)
        done = len(self._open.pop(shift)) << shift
        mask = _STEPS_MAX << shift
        self._states = {state - done: used for state, used in self._states.items() if state & mask == done}
        return bool(self._states)

    def _reach(self, shift: int) -> None:
        """Find every state up to those in which a call is done; these are not taken further."""
        found, waiting = self._states, list(self._states.items())
        done, mask = len(self._open[shift]) << shift, _STEPS_MAX << shift
        while waiting:
            state, used = waiting.pop()
            if state & mask == done:
                continue
            for after in self._successors(state, used):
                if after[0] not in found:
                    found[after[0]] = after[1]
                    waiting.append(after)
            assert len(found) <= STATES_MAX, "too many calls at once to search"

    def _successors(self, state: int, used: int) -> Iterator[tuple[int, int]]:
        for shift, steps in self._open.items():
            count = state >> shift & _STEPS_MAX
            if count < len(steps) and steps[count].allowed(used, self._limit):
                yield state + (1 << shift), used + steps[count].change


def unexplained(limit: int, calls: Sequence[Call]) -> Call | None:
    """The first call, by its end, that no order of the history explains; None for a history that is sound."""
    events = sorted(
        [(call.began, at, False) for at, call in enumerate(calls)]
        + [(call.ended, at, True) for at, call in enumerate(calls)]
    )
    search, shifts = _Search(limit), dict[int, int]()
    for _, at, ends in events:
        if not ends:
            shifts[at] = search.begin(calls[at].steps)
        elif not search.end(shifts.pop(at)):
            return calls[at]
    return None
