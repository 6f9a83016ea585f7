"""`python -m otari_daemon.mock`, as a process of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.mock.mock_raw_client import Raw

WAIT_S = 20
KILLED_AFTER = 300


@contextmanager
def spawned(*args: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and the address it says it listens on; killed at the end if still there."""
    command = [sys.executable, "-m", "otari_daemon.mock", *args]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert said.startswith("listening on ")
            yield process, said.removeprefix("listening on ").strip()
        finally:
            process.kill()


def connected(address: str) -> Raw:
    kind, _, place = address.partition(":")
    if kind == "unix":
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(place)
        return Raw(sock)
    port = int(place.partition(":")[2].partition("/")[0])
    return Raw(socket.create_connection(("127.0.0.1", port)))


@pytest.mark.e2e
def test_lines_written_before_a_kill_are_whole(tmp_path: Path) -> None:
    bill = tmp_path / "bill.jsonl"
    answered = 0
    with (
        spawned("--port", "0", "--bill", str(bill)) as (process, address),
        closing(connected(address)) as streaming,
        closing(connected(address)) as client,
    ):
        streaming.ask("drip:100000:1", stream=True)
        streaming.until(b"dolor")
        for _ in range(KILLED_AFTER):
            client.ask("echo", headers=f"otari-request-id: {answered}\r\n")
            assert client.answer().status == 200
            answered += 1
        client.ask("echo")
        os.kill(process.pid, signal.SIGKILL)
        process.wait(WAIT_S)

    assert bill.read_bytes().endswith(b"\n")
    lines = [json.loads(line) for line in bill.read_text().splitlines()]
    assert [line["otari_request_id"] for line in lines[:answered]] == [str(n) for n in range(answered)]
    assert answered <= len(lines) <= answered + 1


@pytest.mark.e2e
@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_a_unix_socket_and_stops_on_a_signal(tmp_path: Path, name: signal.Signals) -> None:
    path = tmp_path / "mock.sock"
    with spawned("--unix", str(path)) as (process, address):
        assert address == f"unix:{path}"
        assert path.stat().st_mode & 0o777 == 0o600
        with closing(connected(address)) as client:
            client.get("/v1/models")
            assert client.answer().status == 200
            client.ask("fault:ttft_never")
            process.send_signal(name)
            assert process.wait(WAIT_S) == 0

    assert not path.exists()


@pytest.mark.e2e
def test_it_takes_over_the_socket_of_one_that_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "mock.sock"
    with spawned("--unix", str(path)) as (process, _):
        process.kill()
        process.wait(WAIT_S)
    assert path.exists()

    with spawned("--unix", str(path)) as (_, address), closing(connected(address)) as client:
        client.ask("echo")
        assert client.answer().status == 200
