"""Requests that two parsers could read in two ways, and the status each must get."""

from __future__ import annotations

from typing import NamedTuple

LINE = b"POST /v1/chat HTTP/1.1"
CHUNKED = b"Transfer-Encoding: chunked"


class Vector(NamedTuple):
    """Raw bytes and the status they must be refused with; `in_body` if the head itself is good."""

    name: str
    raw: bytes
    status: int = 400
    in_body: bool = False


def head(*fields: bytes, line: bytes = LINE, host: bytes | None = b"Host: a") -> bytes:
    lines = [line, *([host] if host is not None else []), *fields]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def chunked(body: bytes) -> bytes:
    return head(CHUNKED) + body


def _get(target: bytes) -> bytes:
    return head(line=b"GET " + target + b" HTTP/1.1")


LENGTHS = [
    Vector("length and chunked", head(b"Content-Length: 4", CHUNKED) + b"0\r\n\r\n"),
    Vector("chunked and length", head(CHUNKED, b"Content-Length: 4") + b"0\r\n\r\n"),
    Vector("two equal lengths", head(b"Content-Length: 1", b"Content-Length: 1") + b"x"),
    Vector("two lengths", head(b"Content-Length: 1", b"content-length: 2") + b"xy"),
    *(
        Vector(f"length {value!r}", head(b"Content-Length: " + value) + b"xxxxx")
        for value in (
            b"1, 1",
            b"1,2",
            b"+5",
            b"-5",
            b"1 5",
            b"0x5",
            b"5.0",
            b"5e0",
            b"",
            b"five",
            b"5;",
            b'"5"',
            b"1_0",
            b"9" * 19,
            b"9" * 40,
            b"\xb2",
        )
    ),
]

CODINGS = [
    *(
        Vector(f"coding {value!r}", head(b"Transfer-Encoding: " + value) + b"0\r\n\r\n")
        for value in (
            b"gzip, chunked",
            b"chunked, chunked",
            b"chunked, identity",
            b"identity",
            b"gzip",
            b"xchunked",
            b"chunked;q=1",
            b"Chunked",
            b"CHUNKED",
            b'"chunked"',
            b"",
            b"chunked,",
            b",chunked",
            b"chu nked",
        )
    ),
    Vector("two codings", head(CHUNKED, CHUNKED) + b"0\r\n\r\n"),
    Vector("coding on 1.0", head(CHUNKED, line=b"POST /v1/chat HTTP/1.0") + b"0\r\n\r\n"),
    Vector("coding after a vertical tab", head(b"Transfer-Encoding: \x0bchunked") + b"0\r\n\r\n"),
    Vector("space before the coding's colon", head(b"Transfer-Encoding : chunked") + b"0\r\n\r\n"),
    Vector("zipped body", head(b"Content-Encoding: gzip", b"Content-Length: 1") + b"x", 415),
    Vector("zipped and not", head(b"Content-Encoding: identity, gzip"), 415),
    Vector("unknown expectation", head(b"Expect: 200-ok", b"Content-Length: 1") + b"x", 417),
]

HOSTS = [
    Vector("no host", head(host=None)),
    Vector("two hosts", head(b"Host: b")),
    Vector("two equal hosts", head(b"host: a")),
    *(
        Vector(f"host {value!r}", head(host=b"Host: " + value))
        for value in (
            b"",
            b"a b",
            b"a/b",
            b"a@b",
            b"a,b",
            b"a:b",
            b"a:1:2",
            b"a:123456",
            b"[a",
            b"\xe9",
            b"a#",
        )
    ),
    Vector("foreign authority", _get(b"http://b/v1/chat")),
    Vector("foreign port", _get(b"http://a:81/v1/chat")),
    Vector("authority with a user", _get(b"http://u@a/v1/chat")),
    Vector("foreign authority on 1.0", head(line=b"GET http://b/ HTTP/1.0")),
    Vector("authority on 1.0 without host", head(line=b"GET http://b/ HTTP/1.0", host=None)),
]

CREDENTIALS = [
    Vector("two authorizations", head(b"Authorization: Bearer a", b"authorization: Bearer b")),
    Vector("two equal authorizations", head(b"Authorization: Bearer a", b"Authorization: Bearer a")),
    Vector("two api keys", head(b"X-Api-Key: a", b"x-api-key: b")),
    Vector("two otari keys", head(b"Otari-Key: a", b"OTARI-KEY: b")),
]

BYTES = [
    Vector("folded line", head(b"X: a\r\n b")),
    Vector("folded by tab", head(b"X: a\r\n\tb")),
    Vector("folded first field", LINE + b"\r\n Host: a\r\n\r\n"),
    Vector("bare LF after the request line", LINE + b"\nHost: a\r\n\r\n"),
    Vector("bare LF between fields", head(b"X: a\nY: b")),
    Vector("bare LF throughout", LINE + b"\nHost: a\n\n"),
    Vector("bare LF at the end", LINE + b"\r\nHost: a\r\n\nGET / HTTP/1.1\r\n\r\n"),
    Vector("bare CR in a value", head(b"X: a\rY: b")),
    Vector("bare CR between fields", head(b"X: a\r\rY: b")),
    Vector("CR here and LF there", head(b"X: a\rb", b"Y: c\nd")),
    Vector("CR CR LF", head(b"X: a\r")),
    *(
        Vector(f"byte {byte:#x} in a value", head(b"X: a" + bytes([byte]) + b"b"))
        for byte in (0, 1, 8, 11, 12, 127)
    ),
    *(
        Vector(f"byte {byte:#x} in a name", head(b"X" + bytes([byte]) + b"Y: a"))
        for byte in (0, 9, 32, 34, 40, 255)
    ),
    Vector("NUL in the target", _get(b"/a\0b")),
    Vector("space before colon", head(b"X : a")),
    Vector("tab before colon", head(b"X\t: a")),
    Vector("empty name", head(b": a")),
    Vector("no colon", head(b"Xa")),
    Vector("empty line first", b"\r\n" + head()),
]

LINES = [
    *(
        Vector(f"target {target!r}", _get(target))
        for target in (
            b"*",
            b"v1/chat",
            b"/a\x01",
            b"/a\x7f",
            b"/a\xe9",
            b"/a#b",
            b"/a\\b",
            b"/a%00b",
            b"/a%0d%0ab",
            b"/a%7F",
            b"ftp://a/",
            b"http:///v1",
        )
    ),
    *(
        Vector(f"line {line!r}", head(line=line))
        for line in (
            b"GET  / HTTP/1.1",
            b"GET /  HTTP/1.1",
            b"GET /\tHTTP/1.1",
            b" GET / HTTP/1.1",
            b"GET / HTTP/1.1 ",
            b"GET / HTTP/1.2",
            b"GET / HTTP/2.0",
            b"GET / HTTP/0.9",
            b"GET / http/1.1",
            b"GET / HTTP/1.10",
            b"GET / HTTP/01.1",
            b"GET /",
            b"GET / ICE/1.1",
            b"get / HTTP/1.1",
            b"Get / HTTP/1.1",
            b"G\0T / HTTP/1.1",
        )
    ),
    *(
        Vector(f"method {line!r}", head(line=line + b" HTTP/1.1"), 405)
        for line in (b"CONNECT a:80", b"TRACE /", b"TRACK /", b"BREW /", b"PROPFIND /", b"GETX /")
    ),
    Vector("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
]

CHUNKS = [
    Vector(name, chunked(body), status=400, in_body=True)
    for name, body in {
        "no size": b"\r\nx\r\n0\r\n\r\n",
        "negative size": b"-1\r\nx\r\n0\r\n\r\n",
        "signed size": b"+1\r\nx\r\n0\r\n\r\n",
        "prefixed size": b"0x1\r\nx\r\n0\r\n\r\n",
        "size with underscore": b"1_0\r\nx\r\n0\r\n\r\n",
        "not a number": b"g\r\nx\r\n0\r\n\r\n",
        "space before size": b" 1\r\nx\r\n0\r\n\r\n",
        "space after size": b"1 \r\nx\r\n0\r\n\r\n",
        "size overflows": b"10000000000000001\r\nx\r\n0\r\n\r\n",
        "nine digits": b"000000001\r\nx\r\n0\r\n\r\n",
        "LF after size": b"1\nx\r\n0\r\n\r\n",
        "CR after size": b"1\rx\r\n0\r\n\r\n",
        "CR CR LF after size": b"1\r\r\nx\r\n0\r\n\r\n",
        "NUL after size": b"1\0\r\nx\r\n0\r\n\r\n",
        "LF after data": b"1\r\nx\n0\r\n\r\n",
        "nothing after data": b"1\r\nx0\r\n\r\n",
        "data too long": b"1\r\nxy\r\n0\r\n\r\n",
        "data too short": b"3\r\nx\r\n0\r\n\r\n",
        "long extension": b"1;" + b"a" * 80 + b"\r\nx\r\n0\r\n\r\n",
        "LF in extension": b"1;a\nb\r\nx\r\n0\r\n\r\n",
        "CR in extension": b"1;a\rb\r\nx\r\n0\r\n\r\n",
        "trailer": b"1\r\nx\r\n0\r\nAuthorization: Bearer b\r\n\r\n",
        "LF at the end": b"1\r\nx\r\n0\r\n\n",
        "LF after the last size": b"1\r\nx\r\n0\n\r\n",
    }.items()
]

VECTORS = [*LENGTHS, *CODINGS, *HOSTS, *CREDENTIALS, *BYTES, *LINES, *CHUNKS]

FOLLOWER = b"GET /follower HTTP/1.1\r\nHost: a\r\n\r\n"

GOOD = {
    "plain get": head(line=b"GET /v1/models?a=b HTTP/1.1"),
    "sized": head(b"Content-Length: 5") + b"hello",
    "padded length": head(b"Content-Length: \t 5 ") + b"hello",
    "chunks": chunked(b"2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\n\r\n"),
    "upper-case size": chunked(b"0000000A\r\n0123456789\r\n0\r\n\r\n"),
    "equal authority": head(line=b"GET http://A/v1/models HTTP/1.1"),
    "identity": head(b"Content-Encoding: identity", b"Content-Length: 1") + b"x",
    "h2c offer": head(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"Content-Length: 1") + b"x",
    "websocket offer": head(b"Connection: Upgrade", b"Upgrade: websocket", line=b"GET /ws HTTP/1.1"),
    "upgrade in capitals": head(b"UPGRADE: h2c", b"CONNECTION: UPGRADE", b"Content-Length: 1") + b"x",
    "two upgrades": head(b"Upgrade: h2c", b"upgrade:websocket", b"Connection: upgrade"),
    "latin value": head(b"X: caf\xe9"),
    "empty value": head(b"X:"),
    "two cookies": head(b"Cookie: a", b"Cookie: b"),
    "ipv6 host": head(host=b"Host: [::1]:8080"),
    "encoded path": head(line=b"GET /a%20b%2Fc HTTP/1.1"),
}
