"""What holds for every fault, whatever else it does."""

from typing import Any

import pytest

from otari_daemon.mock import FAULTS
from tests.mock.mock_in_thread import ThreadedMock

ENDLESS = {"ttft_never", "stall_after", "drip_forever", "ping_forever"}
SMALL = 2_000

TOOL = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_ends_is_billed_once_and_leaves_the_server_well(
    any_mock: ThreadedMock, name: str
) -> None:
    number = "" if FAULTS[name].default is None else f":{SMALL}"
    model = f"fault:{name}{number}" if name not in ENDLESS else f"fault:{name}"
    if name == "desync_second_response":
        model = f"fault:{name}:1"
    asked: list[dict[str, Any]] = [
        {},
        {"stream": True},
        {"stream": True, "n": 2, "max_tokens": 1, "stream_options": {"include_usage": True}},
        {"tools": [TOOL], "tool_choice": "required", "max_tokens": 1},
        {"stream": True, "tools": [TOOL], "tool_choice": "required"},
    ]
    for fields in asked:
        client = any_mock.connect()
        client.ask(model, headers="connection: close\r\n", **fields)
        if name in ENDLESS:
            client.is_quiet(0.01)  # whatever it begins with
            client.close()
        else:
            client.to_end()
        line = any_mock.bill.next_line()
        assert line.model == model
        assert (line.ended == "client_left") == (name in ENDLESS)

    client = any_mock.connect()
    client.ask("echo")
    assert client.answer().status == 200
    assert any_mock.bill.next_line().request == len(any_mock.bill.lines) == len(asked) + 1
