"""llama.cpp's own server with a small real model."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REAL = Path(__file__).resolve().parents[2] / ".real"
MODEL = REAL / "model.gguf"
SERVER = REAL / "venv" / "bin" / "llama-cpp-server"
READY_S_MAX = 60.0
STOP_S_MAX = 10.0
CONTEXT_TOKENS = 2048


@contextmanager
def serving(scratch: Path) -> Iterator[str]:
    """Run the server on loopback and give its base URL once it is healthy; end it and its child after."""
    if not (MODEL.exists() and SERVER.exists()):
        sys.exit("no real model here: run `make real-upstream` first")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    command = (SERVER, "-m", MODEL, "--port", str(port), "--ctx-size", str(CONTEXT_TOKENS))
    with (scratch / "llama.log").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
    try:
        _await_health(f"http://127.0.0.1:{port}/health", process)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # the command runs the server as a child: the group has both
        process.wait(STOP_S_MAX)


def _await_health(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_S_MAX
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"llama.cpp's server is not healthy after {READY_S_MAX:.0f} s")
