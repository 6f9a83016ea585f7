"""The meter over a corpus of response streams, cut at every place: the same bytes, the same reading."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.domain.records import Reason
from otari_daemon.wire import usage_openai
from otari_daemon.wire.dialect import Reading
from otari_daemon.wire.responses_stream import EVENT_BYTES_MAX, ResponsesMeter
from otari_daemon.wire.sse import EventTooLong
from tests.wire.responses_streams import DONE, END, HEAD, START, STREAMS, WELL_FORMED, last, said, usage_of

THREE_WAY_CUTS = 20


class Relayed(NamedTuple):
    """All bytes a caller gets, and what was read from them."""

    now: bytes
    end: bytes
    reading: Reading
    ended: bool


def relay(chunks: list[bytes]) -> Relayed:
    meter = ResponsesMeter(usage_openai.RESPONSES)
    now = b"".join(map(meter.feed, chunks))
    end = meter.finish()
    return Relayed(now, end, meter.reading(), meter.ended)


@pytest.mark.parametrize("name", STREAMS)
def test_no_cut_changes_what_is_relayed_or_read(name: str) -> None:
    stream = STREAMS[name]
    uncut = relay([stream])

    for at in range(len(stream) + 1):
        assert relay([stream[:at], stream[at:]]) == uncut, at
    step = max(1, len(stream) // THREE_WAY_CUTS)
    for at in range(0, len(stream), step):
        assert relay([stream[:at], stream[at : at + step], stream[at + step :]]) == uncut, at
    assert relay([stream[at : at + 1] for at in range(len(stream))]) == uncut


@given(st.sampled_from(sorted(STREAMS)), st.lists(st.integers(0, 1_500), max_size=8))
def test_any_split_of_any_stream_is_relayed_the_same(name: str, cuts: list[int]) -> None:
    stream = STREAMS[name]
    ends = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]

    assert relay([stream[a:b] for a, b in pairwise(ends)]) == relay([stream])


@pytest.mark.parametrize("name", sorted(STREAMS.keys() - {"bytes after done"}))
def test_a_caller_gets_the_providers_bytes(name: str) -> None:
    relayed = relay([STREAMS[name]])
    whole = relayed.now + relayed.end

    assert whole.startswith(STREAMS[name])
    assert not whole[len(STREAMS[name]) :].strip(b"\r\n"), "only the last blank line is made good"


def test_the_end_is_kept_back_until_the_request_is_settled() -> None:
    relayed = relay([WELL_FORMED + DONE])

    assert (relayed.now, relayed.end, relayed.ended) == (HEAD, END + DONE, True)


def test_without_a_done_the_stream_goes_on_to_its_end() -> None:
    relayed = relay([WELL_FORMED])

    assert (relayed.now, relayed.end, relayed.ended) == (HEAD, END, False)


@pytest.mark.parametrize(
    ("name", "reason", "output"),
    [
        ("well formed", Reason.USAGE, 7),
        ("CR", Reason.USAGE, 7),
        ("incomplete", Reason.USAGE, 7),
        ("failed with usage", Reason.USAGE, 7),
        ("end without line end", Reason.USAGE, 7),
        ("usage first", Reason.USAGE, 7),
        ("usage in a delta", Reason.USAGE, 7),
        ("usage after the end", Reason.USAGE, 7),
        ("no usage", Reason.ESTIMATED, 7),
        ("no usage, nothing but the end", Reason.ESTIMATED, 1),
        ("function call", Reason.ESTIMATED, 7),
        ("no end", Reason.UPSTREAM_CUT, 7),
        ("failed", Reason.UPSTREAM_CUT, 1),
        ("error event", Reason.UPSTREAM_CUT, 1),
        ("thought unseen", Reason.UPSTREAM_CUT, 100),
        ("HTML", Reason.UPSTREAM_CUT, 0),
        ("nothing", Reason.UPSTREAM_CUT, 0),
        ("usage shrinks", Reason.USAGE_INVALID, 7),
        ("usage negative", Reason.USAGE_INVALID, 7),
        ("usage zero", Reason.USAGE_INVALID, 7),
        ("usage huge", Reason.USAGE_INVALID, 7),
        ("usage text", Reason.USAGE_INVALID, 7),
        ("cached beyond the input", Reason.USAGE_INVALID, 7),
    ],
)
def test_the_reading_of_each_stream(name: str, reason: Reason, output: int) -> None:
    reading = relay([STREAMS[name]]).reading

    reported = reading.seen.reported
    assert reading.reason is reason
    assert (reading.seen.generated_tokens if reported is None else reported.output_tokens) == output


@pytest.mark.parametrize(
    ("name", "calls"), [("well formed", 0), ("searches", 2), ("searches told at the end", 1)]
)
def test_calls_that_a_provider_charges_for_join_the_usage(name: str, calls: int) -> None:
    usage = relay([STREAMS[name]]).reading.seen.reported

    assert usage is not None
    assert usage.tool_calls == calls


def test_calls_of_a_stream_that_breaks_off_are_known_too() -> None:
    assert relay([STREAMS["searches without an end"]]).reading.seen.tool_calls == 1


def test_the_tier_that_served_is_read() -> None:
    assert relay([WELL_FORMED]).reading.seen.service == "default"


@pytest.mark.parametrize("name", ["not JSON", "not UTF-8", "deltas of another shape"])
def test_what_cannot_be_read_still_counts(name: str) -> None:
    meter = ResponsesMeter(usage_openai.RESPONSES)
    meter.feed(STREAMS[name])

    assert meter.generated() > 0


def test_what_was_generated_can_be_asked_while_the_stream_goes_on() -> None:
    meter = ResponsesMeter(usage_openai.RESPONSES)
    counts = []
    for chunk in (START, said("a"), said("b"), last(usage=usage_of(1, 2))):
        meter.feed(chunk)
        counts.append(meter.generated())

    assert counts == [0, 1, 2, 2]


def test_an_event_beyond_its_bound_is_refused_and_what_came_before_is_relayed() -> None:
    meter = ResponsesMeter(usage_openai.RESPONSES)
    now = meter.feed(HEAD + said("x" * (EVENT_BYTES_MAX // 2)))

    assert len(now) > EVENT_BYTES_MAX // 2
    with pytest.raises(EventTooLong):
        meter.feed(said("x" * EVENT_BYTES_MAX))
