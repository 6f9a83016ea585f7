"""Random bytes read ahead are still given out once."""

from __future__ import annotations

from otari_daemon.telemetry.randomness import BUFFER_BYTES, RandomBytes


def test_no_byte_is_given_twice_and_none_is_missing() -> None:
    source = RandomBytes()
    taken = [source.take(10) for _ in range(BUFFER_BYTES)]
    assert {len(each) for each in taken} == {10}
    assert len(set(taken)) == len(taken)


def test_a_buffer_can_be_taken_whole() -> None:
    source = RandomBytes()
    assert len(source.take(1) + source.take(BUFFER_BYTES)) == BUFFER_BYTES + 1
