"""A client that goes away is noticed at once, in every phase and however it leaves."""

from collections.abc import Callable

import pytest

from tests.mock.mock_in_thread import ThreadedMock
from tests.mock.mock_raw_client import Raw

NOTICED_WITHIN_NS = 100_000_000

PHASES = {
    "before the headers, whole": ("slow:60000", False, b""),
    "before the headers, streamed": ("slow:60000", True, b""),
    "while generating a whole answer": ("drip:1000:5", False, b""),
    "between two tokens": ("drip:1000:60000", True, b"\r\n\r\n"),
    "in a slow stream": ("drip:1000:5", True, b"dolor"),
    "in a fast stream it does not read": ("lorem:1000000", True, b"dolor"),
}
LEAVES: dict[str, Callable[[Raw], int]] = {
    "closes": Raw.close,
    "resets": Raw.reset,
    "half-closes": Raw.half_close,
}


@pytest.mark.parametrize("leave", LEAVES.values(), ids=LEAVES)
@pytest.mark.parametrize(("model", "streamed", "mark"), PHASES.values(), ids=PHASES)
def test_a_client_that_leaves_is_noticed_within_100_ms(
    any_mock: ThreadedMock, model: str, streamed: bool, mark: bytes, leave: Callable[[Raw], int]
) -> None:
    delays = []
    for _ in range(3):  # a busy machine may be late once; the mock may not be late thrice
        client = any_mock.connect()
        client.ask(model, stream=streamed)
        if mark:
            client.until(mark)
        else:
            assert client.is_quiet(0.02)
        left_ns = leave(client)
        line = any_mock.bill.next_line()
        assert line.ended == "client_left"
        assert line.prompt_tokens > 0
        assert line.completion_tokens < 1_000_000
        delays.append((line.client_left_ns or 0) - left_ns)
        if delays[-1] <= NOTICED_WITHIN_NS:
            break

    assert min(delays) <= NOTICED_WITHIN_NS


def test_a_cut_stream_bills_the_tokens_made_before_the_cut(threaded: ThreadedMock) -> None:
    client = threaded.connect()
    client.ask("drip:1000:20", stream=True)
    for _ in range(3):
        client.until(b'"content":" ')
    client.close()

    assert 4 <= threaded.bill.next_line().completion_tokens < 1_000
