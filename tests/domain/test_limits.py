"""A rate limit against a log and a bucket that are plainly right, and slots against a count."""

from __future__ import annotations

from collections import Counter, deque
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from otari_daemon.domain.limits import MINUTE_NS, Pace, Paced, Slots, seconds_up

SECOND = 10**9
RATES = st.integers(1, 7) | st.sampled_from([60, 61, 999_983, 1_000_000])
STEPS = st.lists(
    st.just(0) | st.integers(0, 40 * SECOND) | st.sampled_from([MINUTE_NS - 1, MINUTE_NS, MINUTE_NS + 1]),
    max_size=60,
)


class Log:
    """A sliding window of 60 s: when everything admitted was admitted."""

    def __init__(self) -> None:
        self.admitted: deque[int] = deque()

    def within_minute(self, now: int) -> int:
        return sum(now - MINUTE_NS < at for at in self.admitted)


class Bucket:
    """A bucket of `rate` tokens, refilled evenly within a minute, in exact fractions."""

    def __init__(self, rate: int) -> None:
        self.rate, self.tokens, self.at = rate, Fraction(rate), 0

    def take(self, now: int) -> bool:
        refilled = self.tokens + Fraction(self.rate * (now - self.at), MINUTE_NS)
        self.tokens, self.at = min(Fraction(self.rate), refilled), now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


def moments(steps: list[int]) -> list[int]:
    at, found = 10**15, []
    for step in steps:
        at += step
        found.append(at)
    return found


@example(rate=7, steps=[0] * 8)  # a wait of no whole number of nanoseconds
@given(rate=RATES, steps=STEPS)
def test_it_admits_what_a_bucket_admits_and_tells_what_is_in_it(rate: int, steps: list[int]) -> None:
    pace, bucket = Pace(rate), Bucket(rate)

    for now in moments(steps):
        admitted = bucket.take(now)
        paced = pace.take("a", now)
        assert (paced.wait_ns == 0) is admitted
        assert paced.remaining == int(bucket.tokens)
        assert paced.rested_ns == ceil((rate - bucket.tokens) * MINUTE_NS / rate)
        if not admitted:
            assert paced.wait_ns == ceil((1 - bucket.tokens) * MINUTE_NS / rate)


@given(rate=st.integers(1, 6), steps=STEPS)
def test_it_refuses_nothing_that_a_log_of_the_last_minute_would_admit(rate: int, steps: list[int]) -> None:
    pace, log = Pace(rate), Log()

    for now in moments(steps):
        if pace.take("a", now).wait_ns == 0:
            log.admitted.append(now)
        else:
            assert log.within_minute(now) >= rate


@given(rate=st.integers(1, 6), steps=STEPS)
def test_no_stretch_of_time_sees_more_than_a_burst_and_the_even_rate(rate: int, steps: list[int]) -> None:
    pace = Pace(rate)
    admitted = [now for now in moments(steps) if pace.take("a", now).wait_ns == 0]

    for first, start in enumerate(admitted):
        for count, end in enumerate(admitted[first:], 1):
            assert (count - rate) * MINUTE_NS <= rate * (end - start)


@given(rate=RATES, steps=STEPS, attempts=st.integers(1, 5))
def test_a_refusal_is_exact_and_moves_nothing(rate: int, steps: list[int], attempts: int) -> None:
    pace = Pace(rate)
    for now in moments(steps):
        paced = pace.take("a", now)
        if paced.wait_ns:
            refusals = {pace.take("a", now) for _ in range(attempts)}
            assert refusals == {paced}
            assert pace.take("a", now + paced.wait_ns - 1).wait_ns == 1
            assert pace.take("a", now + paced.wait_ns).wait_ns == 0
            return


def test_a_minutes_number_at_once_then_one_each_third_of_it() -> None:
    pace = Pace(3)

    told = [pace.take("a", 5) for _ in range(4)]

    assert told == [
        Paced(0, 2, 20 * SECOND),
        Paced(0, 1, 40 * SECOND),
        Paced(0, 0, 60 * SECOND),
        Paced(20 * SECOND, 0, 60 * SECOND),
    ]


def test_subjects_do_not_share_and_those_admitted_longest_ago_are_forgotten() -> None:
    pace = Pace(2, subjects_max=2)

    assert [pace.take(name, 0).remaining for name in ("a", "b", "a", "c")] == [1, 1, 0, 1]

    assert len(pace) == 2
    assert pace.take("a", 0).wait_ns == MINUTE_NS // 2
    assert pace.take("b", 0).remaining == 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=50))
def test_slots_are_a_count_that_keeps_no_key_without_any(changes: list[tuple[str, bool]]) -> None:
    slots, count = Slots(), Counter[str]()

    for key, taking in changes:
        if taking:
            slots.take(key)
            count[key] += 1
        elif count[key]:
            slots.give_back(key)
            count[key] -= 1
        else:
            with pytest.raises(KeyError):
                slots.give_back(key)
        assert slots.taken() == dict(+count)
        assert slots.of(key) == count[key]


@pytest.mark.parametrize(("span_ns", "whole"), [(0, 0), (1, 1), (SECOND, 1), (SECOND + 1, 2)])
def test_seconds_are_rounded_up(span_ns: int, whole: int) -> None:
    assert seconds_up(span_ns) == whole
