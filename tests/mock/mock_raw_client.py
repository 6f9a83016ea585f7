"""A client that sees every byte: blocking, and with no opinion on what it reads."""

import json
import socket
import time
from typing import Any, Literal, NamedTuple

WAIT_S = 10.0
End = Literal["fin", "rst"]


class RawAnswer(NamedTuple):
    """One well-framed answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def chat_body(model: str, text: str = "hello there", **fields: Any) -> dict[str, Any]:
    """A chat request for `model`."""
    return {"model": model, "messages": [{"role": "user", "content": text}], **fields}


def sse_data(body: bytes) -> list[Any]:
    """The payloads of well-formed events, `[DONE]` as it stands."""
    events = [e.removeprefix("data: ") for e in body.decode().split("\n\n") if e]
    return [e if e == "[DONE]" else json.loads(e) for e in events]


class Raw:
    """One connection."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sock.settimeout(WAIT_S)
        self._got = b""

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def ask(self, model: str, headers: str = "", **fields: Any) -> None:
        """POST a chat request for `model`."""
        self.post(json.dumps(chat_body(model, **fields)).encode(), headers)

    def post(self, body: bytes, headers: str = "") -> None:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: mock\r\n{headers}"
        self.send(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)

    def get(self, path: str) -> None:
        self.send(f"GET {path} HTTP/1.1\r\nhost: mock\r\n\r\n".encode())

    def answer(self) -> RawAnswer:
        """Read one answer with a length or in chunks."""
        head = self.until(b"\r\n\r\n").decode("latin-1")
        first, *lines = head.rstrip("\r\n").split("\r\n")
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
        status = int(first.split(" ")[1])
        if headers.get("transfer-encoding") == "chunked":
            return RawAnswer(status, headers, self._chunks())
        return RawAnswer(status, headers, self.exactly(int(headers.get("content-length", "0"))))

    def until(self, mark: bytes) -> bytes:
        """Read up to and with `mark`; what lies behind it stays."""
        while mark not in self._got:
            self._more()
        before, _, self._got = self._got.partition(mark)
        return before + mark

    def exactly(self, size: int) -> bytes:
        while len(self._got) < size:
            self._more()
        data, self._got = self._got[:size], self._got[size:]
        return data

    def to_end(self) -> tuple[bytes, End]:
        """Everything until the connection ends, and how it did."""
        try:
            while data := self._sock.recv(1 << 20):
                self._got += data
        except ConnectionResetError:
            return self._got, "rst"
        return self._got, "fin"

    def is_quiet(self, seconds: float) -> bool:
        """Whether nothing more arrives, the connection staying open, for so long."""
        if self._got:
            return False
        self._sock.settimeout(seconds)
        try:
            self._got = self._sock.recv(1)
        except TimeoutError:
            return True
        finally:
            self._sock.settimeout(WAIT_S)
        return False

    def shrink(self) -> None:
        """Hold little unread data, as slow readers do."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

    def half_close(self) -> int:
        """Close our writing half; when, in nanoseconds of the machine's monotonic clock."""
        self._sock.shutdown(socket.SHUT_WR)
        return time.monotonic_ns()

    def reset(self) -> int:
        """Close with a reset; when."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        return self.close()

    def close(self) -> int:
        """Close in good order; when."""
        self._sock.close()
        return time.monotonic_ns()

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.until(b"\r\n"), 16):
            body += self.exactly(size)
            assert self.exactly(2) == b"\r\n"
        assert self.exactly(2) == b"\r\n"
        return body

    def _more(self) -> None:
        data = self._sock.recv(1 << 20)
        assert data, f"the connection ended early, after {self._got[:200]!r}"
        self._got += data
