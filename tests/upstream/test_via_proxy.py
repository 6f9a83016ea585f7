"""Proxies, which only httpx goes through: asked as told, named when they refuse."""

import asyncio

import pytest

from otari_daemon.config.secret import SecretUrl
from otari_daemon.providers.http1 import FailureKind, UpstreamError
from otari_daemon.providers.via_httpx import HttpxUpstream

BODY = b"{}"
BOUND_S = 5.0


async def answer_of(upstream):
    """The body of an answer, or the failure: kind, sent, started."""
    exchange = upstream.post("/x", BODY, "r")
    try:
        async with asyncio.timeout(BOUND_S):
            await exchange.start()
            return await exchange.read(100)
    except UpstreamError as failed:
        return failed.kind, failed.sent, failed.started
    finally:
        exchange.close()


async def polite(peer):
    while True:
        await peer.request()
        await peer.answer()


async def test_a_proxy_is_asked_in_the_providers_place(serve, upstream_to):
    heads = []

    async def proxy(peer):
        heads.append(await peer.request())
        await peer.answer()
        await peer.gone()

    server = await serve(proxy)
    url = SecretUrl(server.url.replace("//", "//me:secret@"))
    upstream = upstream_to(HttpxUpstream, "http://provider.invalid/v1", proxy=url)
    assert await answer_of(upstream) == b"ok"

    assert heads[0].startswith(b"POST http://provider.invalid/v1/x HTTP/1.1\r\n")
    assert b"proxy-authorization: basic bwu6c2vjcmv0" in heads[0].lower()
    assert "secret" not in repr(upstream.place)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", b""])
async def test_a_proxy_that_refuses_to_connect_has_sent_nothing_on(serve, upstream_to, answer):
    async def refusing(peer):
        await peer.request()
        await peer.send(answer)

    server = await serve(refusing)
    upstream = upstream_to(HttpxUpstream, "https://provider.invalid", proxy=SecretUrl(server.url))
    kind, sent, started = await answer_of(upstream)

    assert kind is (FailureKind.CONNECT if answer else FailureKind.RESET)
    assert (sent, started) == (False, False)
    assert server.log == [(1, "provider.invalid:443")]


async def test_a_proxy_in_the_environment_is_not_used(serve, upstream_to, monkeypatch):
    server = await serve(polite)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    assert await answer_of(upstream_to(HttpxUpstream, server.url)) == b"ok"
