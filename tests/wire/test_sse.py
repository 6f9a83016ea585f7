"""Cutting events: the same whatever the cuts, equal to the slow reader, and within its memory."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from otari_daemon.wire.sse import EVENT_BYTES_MAX, EventTooLong, Splitter, data_of, frame
from tests.wire import sse_reference

CHUNK = 65_536
PIECES = [
    *(b"\n", b"\r", b"\r\n", b"\n\n", b"data: a", b"data:b", b"data", b"data:  c", b"event: x", b"id: 7"),
    *(b": note", b"datax: d", b"retry: 1", b"\xe2\x80\xa8", b"\xc3", b":", b" "),
]
inputs = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)


def cut_up(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[low:high] for low, high in pairwise(edges)]


def split(chunks: list[bytes]) -> tuple[list[bytes], bytes]:
    """All events, and the rest as it stood before it was completed."""
    splitter = Splitter()
    events = [event for chunk in chunks for event in splitter.feed(chunk)]
    return events, splitter.rest


@given(inputs, st.lists(st.integers(0, 400), max_size=6))
@example(b"data: a\n\n\n", [9])
@example(b"data: a\r\r\ndata: b\n\n", [9])
@example(b"data: a\n\rdata: b\r\n\r\r", [8])
def test_events_are_the_slow_readers_however_the_input_is_cut(data: bytes, cuts: list[int]) -> None:
    events, rest = split(cut_up(data, cuts))

    expected = sse_reference.events_of(data)
    assert b"".join([*events, rest]) == data
    assert [*events, *([rest] if rest else [])] == expected


@given(inputs)
def test_a_byte_at_a_time_is_like_all_at_once(data: bytes) -> None:
    assert split([data[at : at + 1] for at in range(len(data))]) == split([data])


@given(inputs)
def test_the_data_of_an_event_is_the_slow_readers(data: bytes) -> None:
    for event in sse_reference.events_of(data):
        assert data_of(event) == sse_reference.data_of(event)


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (b"data: x\n\n", b"x"),
        (b"data:x\n\n", b"x"),
        (b"data:  x\n\n", b" x"),
        (b"data: a\ndata: b\n\n", b"a\nb"),
        (b"data: a\rdata: b\n\n", b"a\nb"),
        (b"event: e\r\ndata: x\r\nid: 1\r\n\r\n", b"x"),
        (b"data\n\n", b""),
        (b": data: x\n\n", b""),
        (b"DATA: x\n\n", b""),
        (b"\xef\xbb\xbfdata: x\n\n", b"x"),
        (b"data: a\xe2\x80\xa8b\n\n", b"a\xe2\x80\xa8b"),
        (b"\ndata: x\n\n", b"x"),
    ],
)
def test_the_data_of_known_events(event: bytes, data: bytes) -> None:
    assert data_of(event) == data


@given(st.text(alphabet=st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])))
def test_a_frame_reads_back_as_its_data(text: str) -> None:
    assert split([frame(text.encode())]) == ([frame(text.encode())], b"")
    assert data_of(frame(text.encode())) == text.encode()


@pytest.mark.parametrize(
    ("data", "rest"),
    [
        (b"", b""),
        (b"data: x\n\n", b""),
        (b"data: x", b"data: x\n\n"),
        (b"data: x\n", b"data: x\n\n"),
        (b"data: x\r\n", b"data: x\r\n\n\n"),
        (b"data: x\r", b"data: x\r\n\n"),
        (b"data: x\r\r", b"data: x\r\r"),
        (b"data: x\r\n\r", b"data: x\r\n\r"),
    ],
)
def test_the_rest_at_the_end_gets_the_blank_line_it_lacks(data: bytes, rest: bytes) -> None:
    splitter = Splitter()
    splitter.feed(data)

    taken = splitter.take_rest()

    assert data_of(taken) == data_of(rest)
    assert taken == b"" or split([taken + b": next\n\n"])[0][0] == taken
    assert splitter.take_rest() == b""


def test_an_event_of_the_largest_size_passes_and_one_byte_more_does_not() -> None:
    for extra, passes in ((0, True), (1, False)):
        event = b"data: " + b"x" * (EVENT_BYTES_MAX - 8 + extra) + b"\n\n"
        for size in (CHUNK, 100_003, len(event)):
            chunks = [event[at : at + size] for at in range(0, len(event), size)]
            if passes:
                assert split(chunks) == ([event], b"")
            else:
                with pytest.raises(EventTooLong):
                    split(chunks)


@pytest.mark.parametrize("size", [1000, CHUNK, 3 * EVENT_BYTES_MAX])
def test_events_before_a_long_one_are_given_first(size: int) -> None:
    data = b"data: 1\n\ndata: 2\n\ndata: " + b"x" * (2 * EVENT_BYTES_MAX)
    splitter, given_out = Splitter(), []

    def read_all() -> None:
        for at in range(0, len(data), size):
            given_out.extend(splitter.feed(data[at : at + size]))
        splitter.take_rest()

    with pytest.raises(EventTooLong):
        read_all()

    assert given_out == [b"data: 1\n\n", b"data: 2\n\n"]


def test_an_endless_event_is_given_up_with_bounded_memory() -> None:
    splitter, kept = Splitter(), []

    def read_on() -> None:
        for _ in range(1000):
            splitter.feed(b"x" * CHUNK)
            kept.append(len(splitter.rest))

    with pytest.raises(EventTooLong):
        read_on()

    assert max(kept) <= EVENT_BYTES_MAX + CHUNK
