"""Wrong credentials are counted for each address, in bounded memory."""

from __future__ import annotations

from otari_daemon.api.attempts import FAILURES_MAX, SOURCES_MAX, WINDOW_NS, Attempts

SECOND_NS = 1_000_000_000


class Hand:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.ns = 5 * SECOND_NS

    def __call__(self) -> int:
        return self.ns


def test_an_address_may_fail_twenty_times_a_minute_and_then_waits_for_the_rest_of_it() -> None:
    now = Hand()
    attempts = Attempts(now)

    for _ in range(FAILURES_MAX):
        assert attempts.wait_s("a") == 0
        attempts.failed("a")
    now.ns += 10 * SECOND_NS + 1

    assert (attempts.wait_s("a"), attempts.wait_s("b")) == (50, 0)
    now.ns += 50 * SECOND_NS
    assert attempts.wait_s("a") == 0


def test_after_its_minute_an_address_begins_anew() -> None:
    now = Hand()
    attempts = Attempts(now)
    for _ in range(FAILURES_MAX):
        attempts.failed("a")
    now.ns += WINDOW_NS

    attempts.failed("a")

    assert attempts.wait_s("a") == 0
    for _ in range(FAILURES_MAX - 1):
        attempts.failed("a")
    assert attempts.wait_s("a") == 60


def test_no_more_addresses_are_remembered_than_there_is_room_for() -> None:
    attempts = Attempts(Hand())
    for _ in range(FAILURES_MAX):
        attempts.failed("first")
    for number in range(SOURCES_MAX - 1):
        attempts.failed(f"other {number}")

    assert attempts.wait_s("first") > 0
    attempts.failed("one more")

    assert attempts.wait_s("first") == 0, "the one that began longest ago makes room"
