"""Which limits apply to a request, and slots against a count."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.domain.limits import (
    ALL,
    KEY,
    PROVIDER,
    SECOND_NS,
    USER,
    Bound,
    Bounds,
    Caps,
    Limits,
    Slots,
    bounds,
    seconds_up,
)

HOLDERS = st.tuples(st.sampled_from("abc"), st.sampled_from("uv"), st.sampled_from("pq"))


def test_own_caps_take_the_place_of_the_default_one_by_one() -> None:
    assert Caps(rpm=5).over(Caps(rpm=9, tpm=100)) == Caps(5, 100, None)
    assert Caps().over(Caps()) == Caps()


def test_limits_are_gathered_by_what_they_count() -> None:
    source = Limits()
    holders = {(KEY, "k"): Caps(1, None, 4), (USER, "u"): Caps(2, 30), ALL: Caps()}

    assert bounds(source, holders) == Bounds(
        source,
        rpm=(Bound((KEY, "k"), 1), Bound((USER, "u"), 2)),
        tpm=(Bound((USER, "u"), 30),),
        parallel=(Bound((KEY, "k"), 4),),
    )


@given(st.lists(st.tuples(HOLDERS, st.booleans()), max_size=50))
def test_slots_are_a_count_that_keeps_no_holder_without_any(
    changes: list[tuple[tuple[str, str, str], bool]],
) -> None:
    slots, open_now = Slots(), Counter[tuple[str, str, str]]()

    for holders, taking in changes:
        if taking:
            slots.take(*holders)
            open_now[holders] += 1
        elif open_now[holders]:
            slots.give_back(*holders)
            open_now[holders] -= 1
        count = Counter[tuple[int, str]]()
        for (key, user, provider), number in (+open_now).items():
            for subject in ((KEY, key), (USER, user), (PROVIDER, provider)):
                count[subject] += number
        assert slots.taken() == dict(count)
        assert all(slots.of(subject) == number for subject, number in count.items())
        assert slots.of(ALL) == open_now.total()


def test_a_slot_that_was_not_taken_cannot_be_given_back() -> None:
    slots = Slots()
    slots.take("a", "u", "p")

    with pytest.raises(KeyError):
        slots.give_back("b", "u", "p")

    assert slots.taken() == {(KEY, "a"): 1, (USER, "u"): 1, (PROVIDER, "p"): 1}


@pytest.mark.parametrize(("span_ns", "whole"), [(0, 0), (1, 1), (SECOND_NS, 1), (SECOND_NS + 1, 2)])
def test_seconds_are_rounded_up(span_ns: int, whole: int) -> None:
    assert seconds_up(span_ns) == whole
