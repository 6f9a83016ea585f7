"""Faults of the connection and of pace, on every loop and kind of socket the mock runs on."""

import time

import pytest

from tests.mock.mock_in_thread import ThreadedMock
from tests.mock.mock_raw_client import End, Raw, sse_data

MIB = 1024 * 1024


def body_of(data: bytes) -> bytes:
    return data.partition(b"\r\n\r\n")[2]


def expected_end(mock: ThreadedMock, end: End) -> End:
    """A unix socket has no reset: the reader sees its end."""
    return "fin" if mock.address.startswith("unix:") else end


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("fault", "end"), [("accept_close", "fin"), ("rst_after_request", "rst")])
def test_a_request_is_taken_and_the_connection_ends(
    any_mock: ThreadedMock, fault: str, end: End, streamed: bool
) -> None:
    client = any_mock.connect()
    client.ask(f"fault:{fault}", stream=streamed)

    assert client.to_end() == (b"", expected_end(any_mock, end))
    line = any_mock.bill.next_line()
    assert (line.ended, line.first_byte_ns, line.completion_tokens) == ("fault", None, 0)
    assert (line.prompt_tokens > 0) == (fault == "rst_after_request")


@pytest.mark.parametrize("size", [0, 1, 200])
def test_a_whole_body_is_reset_in_its_middle(any_mock: ThreadedMock, size: int) -> None:
    client = any_mock.connect()
    client.ask(f"fault:rst_mid_body:{size}")

    data, end = client.to_end()
    assert (len(body_of(data)), end) == (size, expected_end(any_mock, "rst"))
    assert any_mock.bill.next_line().completion_tokens == 64


def test_a_stream_is_reset_in_its_middle_and_bills_what_it_had_made(any_mock: ThreadedMock) -> None:
    client = any_mock.connect()
    client.ask("fault:rst_mid_body:1000", stream=True)

    data, end = client.to_end()
    tokens = data.count(b'"delta":{"content":"')
    line = any_mock.bill.next_line()
    assert end == expected_end(any_mock, "rst")
    assert not data.endswith(b"0\r\n\r\n")
    assert 1 <= tokens <= line.completion_tokens <= tokens + 1  # the last may be cut


@pytest.mark.parametrize("streamed", [False, True])
def test_a_chunk_ends_before_its_announced_size(any_mock: ThreadedMock, streamed: bool) -> None:
    client = any_mock.connect()
    client.ask("fault:fin_mid_chunk:50", stream=streamed)

    data, end = client.to_end()
    size, _, rest = body_of(data).partition(b"\r\n")
    assert int(size, 16) > 50
    assert (len(rest), end) == (50, "fin")
    assert any_mock.bill.next_line().ended == "fault"


@pytest.mark.parametrize("streamed", [False, True])
def test_one_byte_writes_add_up_to_an_honest_answer(any_mock: ThreadedMock, streamed: bool) -> None:
    client = any_mock.connect()
    client.ask("fault:one_byte_writes", stream=streamed)

    answer = client.answer()
    if streamed:
        assert sse_data(answer.body)[-1] == "[DONE]"
    else:
        assert answer.json["choices"][0]["message"]["content"] == "hello there"
    assert any_mock.bill.next_line().completion_tokens == 2


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("fault", ["ttft_never", "stall_after:0", "stall_after:3"])
def test_silence_lasts_until_the_client_leaves(any_mock: ThreadedMock, fault: str, streamed: bool) -> None:
    client = any_mock.connect()
    client.ask(f"fault:{fault}", stream=streamed)
    count = int(fault.partition(":")[2] or -1)
    if count >= 0:
        client.until(b"\r\n\r\n")
    if count > 0 and streamed:
        assert client.until(b'" dolor"},"logprobs":null,"finish_reason":null}]}\n\n\r\n')
    elif count > 0:
        assert client.exactly(count) == b'{"i'
    elif count == 0 and streamed:
        client.until(b"\n\n\r\n")

    assert client.is_quiet(0.1)
    client.close()
    line = any_mock.bill.next_line()
    assert line.ended == "client_left"
    generated = max(count, 0) if streamed or count < 0 else 64
    assert (line.completion_tokens, line.prompt_tokens > 0) == (generated, True)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("fault", "event"), [("drip_forever:1", b'"content":" dolor"'), ("ping_forever:1", b": ping")]
)
def test_endless_talk_goes_on_until_the_client_leaves(
    any_mock: ThreadedMock, fault: str, event: bytes, streamed: bool
) -> None:
    client = any_mock.connect()
    client.ask(f"fault:{fault}", stream=streamed)
    client.until(b"\r\n\r\n")
    for _ in range(5):
        client.until(event if streamed else b"1\r\n \r\n")

    client.close()
    line = any_mock.bill.next_line()
    assert line.ended == "client_left"
    assert (line.completion_tokens > 0) == fault.startswith("drip")


def test_a_firehose_ends_after_its_bytes(any_mock: ThreadedMock) -> None:
    client = any_mock.connect()
    client.ask(f"fault:firehose:{2 * MIB}", stream=True)

    data, end = client.to_end()
    assert end == "fin"
    assert 2 * MIB <= len(data) <= 2 * MIB + 32 * 1024
    line = any_mock.bill.next_line()
    assert line.completion_tokens == data.count(b" lorem")


def test_a_firehose_waits_for_a_reader_who_does_not_read(any_mock: ThreadedMock) -> None:
    client = any_mock.connect()
    client.shrink()
    client.ask(f"fault:firehose:{1024 * MIB}", stream=True)
    client.until(b"\r\n\r\n")
    time.sleep(0.3)  # the time it has to run ahead in; what it could write then is bounded below

    client.close()
    line = any_mock.bill.next_line()
    bytes_per_token = 150
    assert line.ended == "client_left"
    assert line.completion_tokens * bytes_per_token < 16 * MIB


def test_patience_ends_what_has_no_end(patient: ThreadedMock) -> None:
    for model in ("fault:ttft_never", "fault:drip_forever", "slow:60000", "drip:100000:50"):
        client = patient.connect()
        client.ask(model, stream=True)
        assert client.to_end()[1] == "fin"
        assert patient.bill.next_line().ended == "fault"


def test_a_stopped_server_breaks_off_its_answers(any_mock: ThreadedMock) -> None:
    client: Raw = any_mock.connect()
    client.ask("fault:stall_after:1", stream=True)
    client.until(b"\r\n\r\n")

    any_mock.stop_serving()
    assert any_mock.bill.next_line().ended == "fault"
    assert not client.to_end()[0].endswith(b"0\r\n\r\n")
