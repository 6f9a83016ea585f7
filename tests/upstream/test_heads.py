"""Request heads that cannot be broken out of, and addresses that are what they seem."""

import pytest

from otari_daemon.providers.http1 import Origin, header_block, request_head


def test_a_head_is_rendered_with_its_constant_part():
    block = header_block([(b"authorization", b"Bearer k"), (b"accept", b"*/*")])
    head = request_head(b"POST", b"/v1/x?y=1", b"up:81", [(b"content-length", b"2")], block=block)
    assert head == (
        b"POST /v1/x?y=1 HTTP/1.1\r\nhost: up:81\r\nauthorization: Bearer k\r\naccept: */*\r\n"
        b"content-length: 2\r\n\r\n"
    )


@pytest.mark.parametrize("bad", [b"\r", b"\n", b"\0", b"\r\nx: y"])
@pytest.mark.parametrize("place", range(5))
def test_no_part_may_hold_a_line_break_or_nul(place, bad):
    parts = [b"GET", b"/", b"up", b"x", b"sk-secret"]
    parts[place] += bad
    method, target, host, name, value = parts
    with pytest.raises(ValueError) as refused:
        request_head(method, target, host, [(name, value)])
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("method", "target", "host", "name"),
    [
        (b"", b"/", b"up", b"x"),
        (b"GE T", b"/", b"up", b"x"),
        (b"GET", b"", b"up", b"x"),
        (b"GET", b"/a b", b"up", b"x"),
        (b"GET", "/é".encode(), b"up", b"x"),
        (b"GET", b"/", b"", b"x"),
        (b"GET", b"/", b"u p", b"x"),
        (b"GET", b"/", b"up", b""),
        (b"GET", b"/", b"up", b"x y"),
        (b"GET", b"/", b"up", b"x:"),
    ],
)
def test_parts_that_do_not_fit_their_place_are_refused(method, target, host, name):
    with pytest.raises(ValueError):
        request_head(method, target, host, [(name, b"v")])


@pytest.mark.parametrize(
    ("url", "origin", "base", "authority"),
    [
        ("https://api.example.com/v1/", Origin("https", "api.example.com", 443), "/v1", b"api.example.com"),
        ("http://API.example.com:8080", Origin("http", "api.example.com", 8080), "", b"api.example.com:8080"),
        ("http://[::1]:81/a/b", Origin("http", "::1", 81), "/a/b", b"[::1]:81"),
        ("unix:/run/up.sock", Origin("http", "localhost", 80, "/run/up.sock"), "", b"localhost"),
        ("unix:/run/up.sock:/v1", Origin("http", "localhost", 80, "/run/up.sock"), "/v1", b"localhost"),
    ],
)
def test_a_base_url_is_split_into_origin_and_path(url, origin, base, authority):
    assert Origin.parse(url) == (origin, base)
    assert origin.authority == authority


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.com",
        "ftp://x/",
        "http://",
        "http:///v1",
        "http://u:sk-secret@x/",
        "http://x/?key=sk-secret",
        "http://x/#sk-secret",
        "http://x:0/",
        "http://x:99999/",
        "http://x:sk-secret/",
        "http://x/\r\n",
        "http://x/ y",
        "http://é/",
        "unix:",
        "unix:rel.sock",
        "unix:/a.sock:v1",
    ],
)
def test_a_base_url_that_is_not_one_is_refused_without_being_repeated(url):
    with pytest.raises(ValueError) as refused:
        Origin.parse(url)
    assert "secret" not in str(refused.value)
