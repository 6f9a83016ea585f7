"""What was taken within the last minute, by whom: the memory of every limit per minute.

Pure: the time is an argument, in monotonic nanoseconds that never go back.
"""

from __future__ import annotations

from collections import OrderedDict

from otari_daemon.domain.limits import MINUTE_NS, SECOND_NS, Bound, Subject

MARK_NS = SECOND_NS
"""Amounts taken within this long of a mark's first share it, and leave with its last."""

MARKS_MAX = 61
"""Marks a window can have: one per `MARK_NS` of the minute, and one that is about to go."""

SUBJECTS_MAX = 100_000
"""Holders that are remembered; beyond, whoever took something longest ago is taken for rested."""


SWEPT_MAX = 10_000
"""Holders forgotten in one go: a few milliseconds."""


class Mark:
    """An amount, and when it leaves its window; nothing is left of it from then on."""

    __slots__ = ("amount", "began_ns", "next", "until_ns")

    def __init__(self, amount: int, now_ns: int) -> None:
        self.amount = amount
        self.began_ns = now_ns
        self.until_ns = now_ns + MINUTE_NS
        self.next: Mark | None = None


class Window:
    """A minute that slides: no 60 s ever see more taken than a caller lets `used` and its amount add up to.

    An amount counts for 60 s, and less than `MARK_NS` longer where another one follows it closely. Each
    operation is O(1), amortized; telling a wait looks at no more than `MARKS_MAX` marks.
    """

    __slots__ = ("_first", "_last", "_used")

    def __init__(self) -> None:
        self._first: Mark | None = None
        self._last: Mark | None = None
        self._used = 0

    def used(self, now_ns: int) -> int:
        """What counts now."""
        mark = self._first
        while mark is not None and mark.until_ns <= now_ns:
            self._used -= mark.amount
            mark.amount = 0
            mark = self._first = mark.next
        return self._used

    def take(self, amount: int, now_ns: int) -> Mark:
        """Count an amount from now on; the caller has seen that it fits."""
        self._used += amount
        last = self._last
        if last is not None and now_ns - last.began_ns < MARK_NS:
            last.amount += amount
            last.until_ns = now_ns + MINUTE_NS
            return last
        mark = self._last = Mark(amount, now_ns)
        if self._first is None or last is None:
            self._first = mark
        else:
            last.next = mark
        return mark

    def give_back(self, mark: Mark, amount: int) -> None:
        """Uncount some of what was taken with a mark, as far as it still counts."""
        amount = min(amount, mark.amount)
        mark.amount -= amount
        self._used -= amount

    def wait_ns(self, room: int, now_ns: int) -> int:
        """How long until `room` or less is used, if nothing else is taken; 0 if that is now."""
        left, mark, until_ns = self.used(now_ns), self._first, now_ns
        while left > room and mark is not None:
            left -= mark.amount
            until_ns = mark.until_ns
            mark = mark.next
        return until_ns - now_ns

    def first_leaves_ns(self, now_ns: int) -> int:
        """How long until the oldest amount leaves; 0 if there is none."""
        return 0 if self._first is None else max(0, self._first.until_ns - now_ns)

    def last_leaves_ns(self, now_ns: int) -> int:
        """How long until nothing is left; 0 if nothing is."""
        return 0 if self._first is None or self._last is None else max(0, self._last.until_ns - now_ns)

    def clear(self) -> None:
        """Take everything for gone."""
        self.used(self.last_leaves_ns(0))


class Windows:
    """A window for everyone who took something within the last minute, and few others."""

    def __init__(self, subjects_max: int = SUBJECTS_MAX) -> None:
        self._subjects_max = subjects_max
        self._by_subject: OrderedDict[Subject, Window] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_subject)

    def find(self, subject: Subject) -> Window | None:
        """The window of a holder, if they have taken anything lately."""
        return self._by_subject.get(subject)

    def used(self, subject: Subject, now_ns: int) -> int:
        """What a holder has taken within the last minute."""
        window = self._by_subject.get(subject)
        return 0 if window is None else window.used(now_ns)

    def room(self, limits: tuple[Bound, ...], amount: int, now_ns: int) -> tuple[int, Bound | None]:
        """What the tightest of some limits leaves after an amount (below 0: no room), and which it is."""
        least, tightest = 0, None
        for limit in limits:
            subject, most = limit
            window = self._by_subject.get(subject)
            left = most - amount - (0 if window is None else window.used(now_ns))
            if tightest is None or left < least:
                least, tightest = left, limit
        return least, tightest

    def take(self, subject: Subject, amount: int, now_ns: int) -> Mark:
        """Count an amount of a holder's."""
        window = self._by_subject.get(subject)
        if window is None:
            window = self._by_subject[subject] = Window()
            if len(self._by_subject) > self._subjects_max:
                self._forget_oldest()
        else:
            self._by_subject.move_to_end(subject)
        return window.take(amount, now_ns)

    def give_back(self, subject: Subject, mark: Mark, amount: int) -> None:
        """Uncount some of what a holder took with a mark; nothing where that is forgotten."""
        window = self._by_subject.get(subject)
        if window is not None:
            window.give_back(mark, amount)

    def sweep(self, now_ns: int) -> None:
        """Forget holders that have nothing left, at most `SWEPT_MAX`."""
        for _ in range(SWEPT_MAX):
            oldest = next(iter(self._by_subject.values()), None)
            if oldest is None or oldest.last_leaves_ns(now_ns):
                return
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        self._by_subject.popitem(last=False)[1].clear()
