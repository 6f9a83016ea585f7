"""The meter over a corpus of streams, cut at every place: the same bytes, the same reading."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from otari_daemon.domain.records import Reason
from otari_daemon.wire import usage_openai
from otari_daemon.wire.chat_stream import DONE, ChatMeter
from otari_daemon.wire.dialect import Reading
from otari_daemon.wire.sse import EVENT_BYTES_MAX, EventTooLong
from tests.wire import sse_reference
from tests.wire.streams import HEAD, START, STREAMS, TEXT, USAGE, WELL_FORMED, delta, event, usage_of

THREE_WAY_CUTS = 40


class Relayed(NamedTuple):
    """All bytes a caller gets, and what was read from them."""

    now: bytes
    end: bytes
    reading: Reading
    ended: bool

    @property
    def whole(self) -> bytes:
        return self.now + self.end


def relay(chunks: list[bytes], shows_usage: bool = True) -> Relayed:
    meter = ChatMeter(shows_usage, usage_openai.CHAT)
    now = b"".join(map(meter.feed, chunks))
    end = meter.finish()
    return Relayed(now, end, meter.reading(), meter.ended)


@pytest.mark.parametrize("shows_usage", [True, False], ids=["shown", "hidden"])
@pytest.mark.parametrize("name", STREAMS)
def test_no_cut_changes_what_is_relayed_or_read(name: str, shows_usage: bool) -> None:
    stream = STREAMS[name]
    uncut = relay([stream], shows_usage)

    for at in range(len(stream) + 1):
        cut = relay([stream[:at], stream[at:]], shows_usage)
        assert cut == uncut, at
    step = max(1, len(stream) // THREE_WAY_CUTS)
    for at in range(0, len(stream), step):
        assert relay([stream[:at], stream[at : at + step], stream[at + step :]], shows_usage) == uncut, at
    assert relay([stream[at : at + 1] for at in range(len(stream))], shows_usage) == uncut


@pytest.mark.parametrize(
    "name", ["well formed", "CRLF", "byte order mark", "no space after data", "no usage"]
)
def test_a_caller_who_asked_for_usage_gets_the_providers_bytes(name: str) -> None:
    assert relay([STREAMS[name]]).whole == STREAMS[name]


@pytest.mark.parametrize("name", ["tool calls", "usage in each chunk", "comments and fields", "error event"])
def test_odd_but_whole_streams_are_the_providers_bytes_too(name: str) -> None:
    assert relay([STREAMS[name]]).whole == STREAMS[name]


@pytest.mark.parametrize("name", sorted(STREAMS.keys() - {"one data line for all"}))
def test_the_usage_chunk_is_not_shown_to_who_did_not_ask(name: str) -> None:
    shown = relay([STREAMS[name]], shows_usage=False).whole

    assert b'"choices": [], "usage"' not in shown
    if name == "well formed":
        assert shown == HEAD + DONE


def test_the_end_is_kept_back_until_the_request_is_settled() -> None:
    relayed = relay([WELL_FORMED])

    assert relayed.now == HEAD
    assert relayed.end == USAGE + DONE
    assert relayed.ended


@pytest.mark.parametrize("name", STREAMS)
def test_what_is_relayed_is_whole_events_and_ends_in_one_done_at_most(name: str) -> None:
    events = sse_reference.events_of(relay([STREAMS[name]]).whole)
    said = [sse_reference.data_of(each) for each in events]

    assert said.count(b"[DONE]") <= 1
    if b"[DONE]" in said:
        assert said.index(b"[DONE]") == max(at for at, data in enumerate(said) if data)


@pytest.mark.parametrize(
    ("name", "added"),
    [
        ("no done", True),
        ("no done, no usage", True),
        ("usage without line end", True),
        ("no finish reason, no done", False),
        ("content without line end", False),
        ("error event", False),
        ("HTML", False),
        ("nothing", False),
    ],
)
def test_done_is_added_only_after_a_finish_reason(name: str, added: bool) -> None:
    relayed = relay([STREAMS[name]])

    assert relayed.end.endswith(DONE) is added
    assert not relayed.ended


@pytest.mark.parametrize(
    ("name", "reason", "output"),
    [
        ("well formed", Reason.USAGE, 7),
        ("CR", Reason.USAGE, 7),
        ("mixed line ends", Reason.USAGE, 7),
        ("data on several lines", Reason.USAGE, 4),
        ("usage without line end", Reason.USAGE, 7),
        ("usage first", Reason.USAGE, 7),
        ("usage in each chunk", Reason.USAGE, 3),
        ("usage twice", Reason.USAGE, 7),
        ("usage without choices", Reason.USAGE, 7),
        ("error after usage", Reason.USAGE, 7),
        ("no usage", Reason.ESTIMATED, 7),
        ("usage null in each chunk", Reason.ESTIMATED, 1),
        ("nothing", Reason.ESTIMATED, 0),
        ("usage shrinks", Reason.USAGE_INVALID, 7),
        ("prompt shrinks", Reason.USAGE_INVALID, 7),
        ("usage negative", Reason.USAGE_INVALID, 7),
        ("usage zero", Reason.USAGE_INVALID, 7),
        ("usage huge", Reason.USAGE_INVALID, 7),
        ("usage text", Reason.USAGE_INVALID, 7),
        ("error event", Reason.UPSTREAM_CUT, 1),
        ("function call", Reason.ESTIMATED, 1),
        ("reasoning", Reason.ESTIMATED, 3),
        ("tool calls with odd members", Reason.ESTIMATED, 4),
        ("tool calls of another shape", Reason.ESTIMATED, 0),
    ],
)
def test_the_reading_of_each_stream(name: str, reason: Reason, output: int) -> None:
    reading = relay([STREAMS[name]]).reading

    reported = reading.seen.reported
    assert reading.reason is reason
    assert (reading.seen.generated_tokens if reported is None else reported.output_tokens) == output


@pytest.mark.parametrize("name", ["content in parts", "not JSON", "tool calls that are no text", "HTML"])
def test_what_cannot_be_read_as_a_chunk_still_counts_or_says_nothing(name: str) -> None:
    counted = relay([STREAMS[name]]).reading.seen.generated_tokens

    assert (counted > 0) is (name != "HTML")


def test_every_delta_is_a_token_at_least_and_long_ones_are_more() -> None:
    words = relay([START, *[delta("a")] * 50]).reading.seen
    long = relay([START, delta("a" * 400)]).reading.seen

    assert (words.generated_tokens, words.least_tokens) == (50, 50)
    assert (long.generated_tokens, long.least_tokens) == (100, 1)


def test_what_was_generated_can_be_asked_while_the_stream_goes_on() -> None:
    meter = ChatMeter(shows_usage=True, usage=usage_openai.CHAT)
    counts = [meter.generated()]
    for chunk in (START, *TEXT):
        meter.feed(chunk)
        counts.append(meter.generated())

    assert counts == sorted(counts)
    assert counts[-1] == 7


def test_reasoning_beside_the_completion_is_billed() -> None:
    stated = usage_of(5, 7, 20, completion_tokens_details={"reasoning_tokens": 8})

    usage = relay([HEAD, event({"choices": [], "usage": stated})]).reading.seen.reported

    assert usage is not None
    assert (usage.output, usage.reasoning) == (7, 8)


@pytest.mark.parametrize("size", [4096, 65_536, 2 * EVENT_BYTES_MAX])
def test_an_event_beyond_a_mebibyte_is_refused_and_what_came_before_is_relayed(size: int) -> None:
    stream = HEAD + delta("x" * EVENT_BYTES_MAX) + USAGE + DONE
    meter = ChatMeter(shows_usage=True, usage=usage_openai.CHAT)
    relayed: list[bytes] = []

    def read_all() -> None:
        relayed.extend(meter.feed(stream[at : at + size]) for at in range(0, len(stream), size))
        meter.finish()

    with pytest.raises(EventTooLong):
        read_all()

    assert HEAD.startswith(b"".join(relayed))
    assert meter.reading().seen.generated_tokens <= 8
