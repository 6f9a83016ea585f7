"""The Messages meter over a corpus of streams, cut at every place: the same bytes, the same reading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.domain.pricing import Price, Rates
from otari_daemon.domain.records import Reason
from otari_daemon.domain.settling import bill
from otari_daemon.domain.usage import Usage
from otari_daemon.wire.messages_stream import STOP, MessagesMeter
from otari_daemon.wire.sse import EVENT_BYTES_MAX, EventTooLong
from otari_daemon.wire.usage_anthropic import MESSAGES
from tests.wire.messages_streams import HEAD, STREAMS, WELL_FORMED, stopped, usage_of

PASSED_WHOLE = sorted(
    set(STREAMS) - {"no stop", "stop without blank line", "bytes after the stop", "cut in the middle", "HTML"}
)


def relay(chunks: list[bytes]) -> tuple[bytes, bytes, object, bool]:
    meter = MessagesMeter(MESSAGES)
    now = b"".join(map(meter.feed, chunks))
    end = meter.finish()
    return now, end, meter.reading(), meter.ended


@pytest.mark.parametrize("name", STREAMS)
def test_no_cut_changes_what_is_relayed_or_read(name: str) -> None:
    stream = STREAMS[name]
    uncut = relay([stream])

    for at in range(len(stream) + 1):
        assert relay([stream[:at], stream[at:]]) == uncut, at
    assert relay([stream[at : at + 1] for at in range(len(stream))]) == uncut


@given(st.sampled_from(sorted(STREAMS)), st.lists(st.integers(0, 2000), max_size=6))
def test_no_number_of_cuts_changes_what_is_relayed_or_read(name: str, cuts: list[int]) -> None:
    stream, places = STREAMS[name], sorted(cuts)
    ends = [*places, len(stream)]
    chunks = [stream[start:end] for start, end in zip([0, *places], ends, strict=True)]

    assert relay(chunks) == relay([stream])


@pytest.mark.parametrize("name", PASSED_WHOLE)
def test_a_caller_gets_the_providers_bytes(name: str) -> None:
    now, end, _, _ = relay([STREAMS[name]])

    assert now + end == STREAMS[name]


def test_the_end_waits_from_the_stop_reason_on() -> None:
    now, end, reading, ended = relay([WELL_FORMED])

    assert (now, end, ended) == (HEAD, WELL_FORMED[len(HEAD) :], True)
    assert reading.reason is Reason.USAGE


def test_a_stream_that_only_lacks_its_stop_is_given_one() -> None:
    now, end, _, _ = relay([STREAMS["no stop"]])

    assert now + end == STREAMS["no stop"] + STOP


@pytest.mark.parametrize(
    ("name", "reported"),
    [
        ("well formed", Usage(input=11, output=7, requests=1)),
        ("cached", Usage(input=3, cache_read=8, output=7, requests=1)),
        ("cached, said last", Usage(input=3, cache_read=8, output=7, requests=1)),
        ("a call", Usage(input=11, output=9, requests=1)),
        ("no stop", Usage(input=11, output=7, requests=1)),
    ],
)
def test_the_last_totals_are_what_was_used(name: str, reported: Usage) -> None:
    reading = relay([STREAMS[name]])[2]

    assert (reading.reason, reading.seen.reported) == (Reason.USAGE, reported)


@pytest.mark.parametrize(
    ("name", "reason", "generated"),
    [
        ("no usage", Reason.ESTIMATED, 4),
        ("usage of the prompt only", Reason.ESTIMATED, 4),
        ("cut before the stop reason", Reason.ESTIMATED, 4),
        ("usage shrinks", Reason.USAGE_INVALID, 4),
        ("usage negative", Reason.USAGE_INVALID, 4),
        ("usage huge", Reason.USAGE_INVALID, 4),
        ("usage text", Reason.USAGE_INVALID, 4),
        ("usage zero", Reason.USAGE_INVALID, 1),
        ("error", Reason.UPSTREAM_CUT, 1),
    ],
)
def test_without_totals_that_can_be_true_our_count_stands(name: str, reason: Reason, generated: int) -> None:
    reading = relay([STREAMS[name]])[2]

    assert (reading.reason, reading.seen.reported) == (reason, None)
    assert reading.seen.generated_tokens == generated


def test_a_stream_cut_short_is_charged_for_the_prompt_as_stated_and_for_what_was_seen() -> None:
    stream = STREAMS["cached"]
    seen = relay([stream[: stream.index(b"event: message_delta")]])[2].seen
    price = Price("m", Rates.of(input=4_000, cache_read=1_000, output=9_000), 0, "test")

    charged = bill(Reason.UPSTREAM_CUT, seen, 500, 100, price)

    assert charged.usage == Usage(input=3, cache_read=8, output=1, requests=1)
    assert charged.amount == 3 * 4 + 8 * 1 + 9


def test_totals_before_the_stop_reason_are_the_least_that_was_made() -> None:
    seen = relay([STREAMS["totals on the way"]])[2].seen

    assert (seen.reported, seen.least_tokens) == (None, 50)


def test_an_endless_event_is_refused() -> None:
    meter = MessagesMeter(MESSAGES)

    with pytest.raises(EventTooLong):
        meter.feed(b"data: " + b"x" * EVENT_BYTES_MAX + b"\n\n")


def test_speed_and_place_name_the_service_that_was_had() -> None:
    for usage, service in (
        (usage_of(11, 7, service_tier="priority"), "priority"),
        (usage_of(11, 7, service_tier="standard", speed="fast"), "fast"),
        (usage_of(11, 7, service_tier="standard", inference_geo="us"), "us"),
        (usage_of(11, 7, service_tier="standard", speed="standard", inference_geo="global"), "standard"),
    ):
        assert relay([HEAD + stopped(usage)])[2].seen.service == service
