"""A provider whose prices double for a prompt beyond its threshold, with its own count and bill."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, Self

THRESHOLD = 128_000
INPUT_PICO, OUTPUT_PICO = 75_000, 300_000
"""List prices of gemini-1.5-flash per token, doubled above the threshold."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bills: dict[str, int]

    def do_POST(self) -> None:
        """Answer with two words and usage; four bytes of prompt are a token."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = sum(len(message["content"]) for message in body["messages"]) // 4
        dearer = 2 if prompt > THRESHOLD else 1
        pico = dearer * (prompt * INPUT_PICO + 2 * OUTPUT_PICO)
        self.bills[self.headers["X-Request-ID"]] = -(-pico // 1000)
        answer = json.dumps(_answer(prompt)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing on standard error."""


def _answer(prompt: int) -> dict[str, Any]:
    usage = {"prompt_tokens": prompt, "completion_tokens": 2, "total_tokens": prompt + 2}
    message = {"role": "assistant", "content": "yes sir"}
    return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}


class LongContext:
    """The provider on a thread; `bills` are nano-USD by request id."""

    def __init__(self) -> None:
        self.bills: dict[str, int] = {}
        handler = type("Handler", (_Handler,), {"bills": self.bills})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
