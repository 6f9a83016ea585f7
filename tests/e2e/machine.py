"""One machine under test: a spawned daemon, a spawned mock with a bill, and the operator's socket."""

from __future__ import annotations

import http.client
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from otari_daemon.mock.bill import charge_nano

READY_S = 20.0
STOP_S = 20.0
PRICING = {"input_price_per_million": 1, "output_price_per_million": 2, "cache_read_price_per_million": 0.25}


class Spawned:
    """A child process that prints a line when it is ready."""

    def __init__(self, *arguments: str, env: dict[str, str] | None = None) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives with the process; a pipe would fill up
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, **(env or {})},
        )
        self.said = self._await_line()

    def _await_line(self) -> str:
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as ready:
            ready.register(self.process.stdout, selectors.EVENT_READ)
            if not ready.select(READY_S):
                said = self.stderr()
                self.kill()
                raise AssertionError(f"nothing said in {READY_S} s: {said}")
        line = self.process.stdout.readline().decode()
        if not line:
            raise AssertionError(f"ended at start: {self.stderr()}")
        return line

    def stderr(self) -> str:
        """All it has said on standard error."""
        self._log.seek(0)
        return self._log.read().decode()

    def terminate(self) -> int:
        """Ask it to stop, and give its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(STOP_S)
        self._close()
        return code

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self.process.wait(STOP_S)
        self._close()

    def _close(self) -> None:
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()


class Machine:
    """A state directory, a mock provider of its own named `up`, and daemons one after another."""

    def __init__(self, **config: Any) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="otari-e2e-", dir="/tmp"))
        self.bill_path = self.home / "bill.jsonl"
        self.socket = self.home / "admin.sock"
        self.mock = Spawned("-m", "otari_daemon.mock", "--port", "0", "--bill", str(self.bill_path))
        self.mock_url = self.mock.said.split()[-1]
        self.config = self._configure(config)
        self.daemon: Spawned | None = None
        self.port = _free_port()
        self.key = ""

    @property
    def url(self) -> str:
        """The base URL for an OpenAI client."""
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> Spawned:
        """Start a daemon; on the first start, keep the bootstrap key."""
        self.daemon = Spawned(
            *("-m", "otari_daemon", "--config", str(self.config), "--port", str(self.port)),
            *("--state-dir", str(self.home / "state"), "--admin-socket", str(self.socket)),
            env={"HOME": str(self.home)},
        )
        return self.daemon

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One question on the admin socket; an answer of 400 or more is an AssertionError."""
        status, answer = self.admin(method, path, body)
        assert status < 400, (status, answer)
        return answer

    def admin(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One question on the admin socket: status and decoded body."""
        connection = _UnixConnection(str(self.socket))
        try:
            raw = None if body is None else json.dumps(body)
            connection.request(method, path, raw, {"Host": "otari", "Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, json.loads(content) if content else None
        finally:
            connection.close()

    def new_key(self, **fields: Any) -> str:
        """A fresh virtual key's secret."""
        secret: str = self.ask("POST", "/v1/keys", fields)["key"]
        return secret

    def bill(self) -> list[Any]:
        """The provider's own lines so far."""
        import msgspec

        from otari_daemon.mock.bill import BillLine

        lines = self.bill_path.read_bytes().splitlines() if self.bill_path.exists() else []
        return [msgspec.json.decode(line, type=BillLine) for line in lines]

    def billed_nano(self) -> int:
        """What the provider would charge for everything so far."""
        return sum(charge_nano(line) for line in self.bill())

    def usage(self) -> list[Any]:
        """All settled rows, newest first."""
        rows, skip = [], 0
        while page := self.ask("GET", f"/v1/usage?limit=1000&skip={skip}"):
            rows += page
            skip += len(page)
        return rows

    def quiet(self, within_s: float = 10.0) -> None:
        """Wait until nothing is held and everything settled is on disk, at most `within_s`."""
        deadline = time.monotonic() + within_s
        while (status := self.ask("GET", "/status"))["open_holds"] or status["ledger_backlog"]:
            assert time.monotonic() < deadline, "holds are left open, or settlements unwritten"
            time.sleep(0.02)

    def verified(self) -> Any:
        """The books' own proof, which must hold."""
        report = self.ask("POST", "/ledger/verify")
        assert report["ok"], report["findings"]
        return report

    def stop(self) -> None:
        """End what is still running."""
        if self.daemon is not None:
            self.daemon.terminate()
        self.mock.terminate()

    def _configure(self, config: dict[str, Any]) -> Path:
        place = {"type": "openai", "api_base": self.mock_url}
        content = {
            "providers": {"up": {**place, "models": ["echo"]}, "bare": place},
            "pricing": {"up:*": PRICING},
            **config,
        }
        path = self.home / "config.yml"
        path.write_text(json.dumps(content))
        path.chmod(0o600)
        return path


def nano(row: Any) -> int:
    """A usage row's cost in nano-USD."""
    whole, _, fraction = row["cost_usd"].partition(".")
    return int(whole) * 10**9 + int(fraction.ljust(9, "0"))


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("otari", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
