"""A minute that slides, against a log of everything that was taken, which is plainly right."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from otari_daemon.domain.limits import ALL, MINUTE_NS, SECOND_NS, USER, Bound
from otari_daemon.domain.sliding import MARK_NS, MARKS_MAX, Mark, Window, Windows

BEGIN_NS = 10**15
STEPS = st.lists(
    st.just(0)
    | st.integers(0, 3 * SECOND_NS)
    | st.integers(0, 40 * SECOND_NS)
    | st.sampled_from([MARK_NS - 1, MARK_NS, MINUTE_NS - 1, MINUTE_NS, MINUTE_NS + 1]),
    max_size=60,
)
AMOUNTS = st.integers(1, 5)
ANN = (USER, "ann")


class Log:
    """What was taken, and when."""

    def __init__(self) -> None:
        self.taken: list[tuple[int, int]] = []

    def within(self, span_ns: int, now_ns: int) -> int:
        return sum(amount for at, amount in self.taken if at > now_ns - span_ns)


def asked(steps: list[int], amounts: list[int]) -> list[tuple[int, int]]:
    """Moments that never go back, each with an amount that is asked for then."""
    at, found = BEGIN_NS, []
    for number, step in enumerate(steps):
        at += step
        found.append((at, amounts[number % len(amounts)]))
    return found


def marks(window: Window) -> int:
    count, mark = 0, window._first
    while mark is not None:
        count, mark = count + 1, mark.next
    return count


@example(limit=3, steps=[0, 0, 0, MINUTE_NS - 1, 1, 0, 0], amounts=[1])  # the unlucky minute of a bucket
@example(limit=2, steps=[0, MARK_NS - 1, MINUTE_NS - MARK_NS + 1, MARK_NS - 1], amounts=[1])
@given(limit=st.integers(1, 12), steps=STEPS, amounts=st.lists(AMOUNTS, min_size=1, max_size=7))
def test_no_60_seconds_see_more_than_the_limit_and_nothing_is_refused_that_61_would_admit(
    limit: int, steps: list[int], amounts: list[int]
) -> None:
    window, log = Window(), Log()

    for now, amount in asked(steps, amounts):
        used = window.used(now)
        assert log.within(MINUTE_NS, now) <= used <= log.within(MINUTE_NS + MARK_NS, now)
        if used + amount <= limit:
            window.take(amount, now)
            log.taken.append((now, amount))
        assert log.within(MINUTE_NS, now) <= limit
        assert marks(window) <= MARKS_MAX


@given(limit=st.integers(1, 6), steps=STEPS)
def test_a_told_wait_is_exact(limit: int, steps: list[int]) -> None:
    window = Window()

    for now, _ in asked(steps, [1]):
        wait = window.wait_ns(limit - 1, now)
        if window.used(now) < limit:
            assert wait == 0
            window.take(1, now)
        else:
            assert 0 < wait <= MINUTE_NS
            assert _left_at(window, now + wait - 1) >= limit > _left_at(window, now + wait)


def _left_at(window: Window, at_ns: int) -> int:
    """What a window will count at a moment, without moving it."""
    left, mark = 0, window._first
    while mark is not None:
        left += mark.amount if mark.until_ns > at_ns else 0
        mark = mark.next
    return left


@given(
    takes=st.lists(st.tuples(st.integers(0, 20 * SECOND_NS), AMOUNTS, st.integers(0, 9)), max_size=40),
    late=st.integers(0, 2 * MINUTE_NS),
)
def test_what_is_given_back_is_gone_at_once_and_never_below_zero(
    takes: list[tuple[int, int, int]], late: int
) -> None:
    window, now, open_marks = Window(), BEGIN_NS, list[tuple[Mark, int, int]]()
    for step, amount, unused in takes:
        now += step
        window.used(now)
        open_marks.append((window.take(amount, now), now, min(amount, unused)))

    now += late
    before = window.used(now)
    for mark, _, unused in open_marks:
        window.give_back(mark, unused)
    after = window.used(now)

    certain = sum(unused for _, at, unused in open_marks if at > now - MINUTE_NS)
    possible = sum(unused for _, at, unused in open_marks if at > now - MINUTE_NS - MARK_NS)
    assert certain <= before - after <= possible
    assert after >= 0
    assert window.used(now + MINUTE_NS + MARK_NS) == 0


def test_sixty_one_marks_hold_a_minute_of_any_number_of_requests() -> None:
    window, most = Window(), 0

    for tenth in range(10_000):
        now = BEGIN_NS + tenth * SECOND_NS // 10
        window.used(now)
        window.take(1, now)
        most = max(most, marks(window))

    assert most == MARKS_MAX
    assert 600 <= window.used(BEGIN_NS + 1_000 * SECOND_NS) <= 610


def test_what_a_limit_has_left_is_told_of_the_tightest() -> None:
    windows = Windows()
    windows.take(ANN, 5, BEGIN_NS)
    wide, tight = Bound(ALL, 100), Bound(ANN, 8)

    assert windows.room((wide, tight), 2, BEGIN_NS) == (1, tight)
    assert windows.room((wide, tight), 4, BEGIN_NS) == (-1, tight)
    assert windows.room((), 4, BEGIN_NS) == (0, None)


def test_who_took_something_longest_ago_is_forgotten_first_and_what_they_give_back_is_nobodys() -> None:
    windows = Windows(subjects_max=2)
    subjects = [(USER, name) for name in "abc"]
    mark = windows.take(subjects[0], 5, BEGIN_NS)
    windows.take(subjects[1], 5, BEGIN_NS)
    windows.take(subjects[1], 5, BEGIN_NS + 1)

    windows.take(subjects[2], 5, BEGIN_NS + 2)
    windows.take(subjects[0], 5, BEGIN_NS + 3)
    windows.give_back(subjects[0], mark, 5)

    assert len(windows) == 2
    assert [windows.used(subject, BEGIN_NS + 4) for subject in subjects] == [5, 0, 5]


def test_a_sweep_forgets_all_that_are_idle_and_no_other() -> None:
    windows = Windows()
    for number in range(100):
        windows.take((USER, str(number)), 1, BEGIN_NS + number * SECOND_NS)

    windows.sweep(BEGIN_NS + 109 * SECOND_NS)
    assert len(windows) == 50
    assert windows.used((USER, "50"), BEGIN_NS + 109 * SECOND_NS) == 1

    windows.sweep(BEGIN_NS + 200 * SECOND_NS)
    assert len(windows) == 0
