"""HTTP/1.1 as bytes: requests as parsed, answers as written."""

from typing import NamedTuple

from otari_daemon.mock.multipart import Form

JSON = b"application/json"
SSE = b"text/event-stream; charset=utf-8"
HTML = b"text/html; charset=utf-8"
TEXT = b"text/plain; charset=utf-8"

LAST_CHUNK = b"0\r\n\r\n"

_REASONS = {
    200: b"OK", 204: b"No Content", 302: b"Found", 307: b"Temporary Redirect", 400: b"Bad Request",
    401: b"Unauthorized", 403: b"Forbidden", 404: b"Not Found", 405: b"Method Not Allowed",
    408: b"Request Timeout", 409: b"Conflict", 413: b"Content Too Large",
    422: b"Unprocessable Content", 429: b"Too Many Requests", 431: b"Request Header Fields Too Large",
    500: b"Internal Server Error", 502: b"Bad Gateway", 503: b"Service Unavailable",
    504: b"Gateway Timeout", 529: b"Overloaded",
}  # fmt: skip


class Request(NamedTuple):
    """One request, whole; header names are in lower case. Of a `form`, that is the body."""

    method: bytes
    target: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes
    form: Form | None = None

    def header(self, name: bytes) -> str:
        """The first header called `name`, or nothing."""
        for key, value in self.headers:
            if key == name:
                return value.decode("latin-1")
        return ""


def head(status: int, *fields: bytes) -> bytes:
    """A status line and headers, `fields` being lines such as `b"retry-after: 1"`."""
    line = b"HTTP/1.1 %d %b\r\nx-mock: 1\r\n" % (status, _REASONS[status])
    return line + b"".join([field + b"\r\n" for field in fields]) + b"\r\n"


def whole(status: int, body: bytes, *fields: bytes, media: bytes = JSON) -> bytes:
    """A complete answer with its length."""
    return head(status, b"content-type: " + media, b"content-length: %d" % len(body), *fields) + body


def stream_head(*fields: bytes, media: bytes = SSE) -> bytes:
    """The head of an answer in chunks, 200."""
    return head(200, b"content-type: " + media, b"transfer-encoding: chunked", *fields)


def chunk(data: bytes) -> bytes:
    """One chunk holding `data`, which is not empty."""
    return b"%x\r\n%b\r\n" % (len(data), data)
