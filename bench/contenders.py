"""What is measured: nginx as a raw proxy, otari with its books on, and Falcon with stock httpx.

Each runs on the gateway's core, in front of one canned upstream, on loopback.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from bench.cpu import GATEWAY_CORE, on_core
from bench.load import Target
from tests.e2e.machine import PRICING, Machine, Spawned

NGINX, OTARI, STOCK = "nginx, raw proxy", "otari, books on", "Falcon + stock httpx"
STARTED_S_MAX = 5.0
STOPPED_S_MAX = 5.0

_NGINX_CONF = """
daemon off; worker_processes 1; pid {scratch}/nginx.pid; error_log {scratch}/nginx-error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; default_type application/json; client_body_buffer_size 64k;
  client_body_temp_path {scratch}/body; proxy_temp_path {scratch}/proxy; fastcgi_temp_path {scratch}/f;
  uwsgi_temp_path {scratch}/u; scgi_temp_path {scratch}/s;
  upstream canned {{ server {upstream}; keepalive 256; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://canned; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
    }}
  }}
}}
"""


class Contender(NamedTuple):
    """A gateway that runs: `pid` is the root of its process tree."""

    name: str
    target: Target
    pid: int


@contextmanager
def nginx(upstream: str, scratch: Path) -> Iterator[Contender]:
    """Debian's nginx: one worker, kept connections, no log; its files in `scratch`."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    config = scratch / "nginx.conf"
    config.write_text(_NGINX_CONF.format(scratch=scratch, upstream=urlsplit(upstream).netloc, port=port))
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    with on_core(GATEWAY_CORE):
        process = subprocess.Popen([program, "-c", config, "-e", scratch / "nginx-error.log", "-p", scratch])
    try:
        _await_listening(port)
        yield Contender(NGINX, Target(f"http://127.0.0.1:{port}", "none"), process.pid)
    finally:
        process.terminate()
        process.wait(STOPPED_S_MAX)


@contextmanager
def otari(upstream: str) -> Iterator[Contender]:
    """A daemon as users run it: SQLite at FULL, a key with a budget that is enforced on every request.

    Once it has been measured, its books must prove themselves.
    """
    machine = Machine(
        providers={"up": {"type": "openai", "api_base": f"{upstream}/v1"}},
        pricing={"up:*": PRICING},
        mock=False,
    )
    try:
        with on_core(GATEWAY_CORE):
            daemon = machine.start()
        key = machine.new_key(key_name="bench", budget="100000/day")
        yield Contender(OTARI, Target(machine.url.removesuffix("/v1"), key), daemon.process.pid)
        machine.quiet()
        machine.verified()
    finally:
        machine.stop()
        shutil.rmtree(machine.home)


@contextmanager
def stock(upstream: str) -> Iterator[Contender]:
    """Falcon on uvicorn with `httpx.AsyncClient`: relays, and does nothing else."""
    with on_core(GATEWAY_CORE):
        spawned = Spawned("-m", "bench.stock", upstream)
    try:
        yield Contender(STOCK, Target(spawned.said.strip(), "none"), spawned.process.pid)
    finally:
        spawned.terminate()


def _await_listening(port: int) -> None:
    deadline = time.monotonic() + STARTED_S_MAX
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
