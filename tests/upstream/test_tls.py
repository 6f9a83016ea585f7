"""TLS: checked by default, named when it fails, ended at once."""

import asyncio
import shutil
import ssl
import subprocess

import pytest

from otari_daemon.providers.http1 import FailureKind, Timeouts, UpstreamError, tls_context


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A self-signed certificate for 127.0.0.1: (certificate file, key file)."""
    openssl = shutil.which("openssl")
    assert openssl, "these tests make their certificate with the openssl program: install it"
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            openssl,
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            key,
            "-out",
            cert,
            "-days",
            "2",
            "-subj",
            "/CN=127.0.0.1",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ],
        check=True,
        capture_output=True,
        timeout=30,
    )
    return cert, key


@pytest.fixture
def server_tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


async def polite(peer):
    while True:
        await peer.request()
        await peer.answer()


async def fetch(pool, head):
    exchange = await pool.send(head)
    try:
        return await exchange.read(100)
    finally:
        exchange.close()


async def test_a_trusted_upstream_is_served_over_one_connection(serve, pool_to, get, server_tls, certificate):
    server = await serve(polite, tls=server_tls)
    pool = pool_to(server, tls=tls_context(str(certificate[0])))
    for _ in range(3):
        assert await fetch(pool, get()) == b"ok"
    assert server.connections == 1
    assert pool.stats() == (0, 1, 0)


async def test_an_untrusted_upstream_is_refused_before_anything_is_sent(serve, pool_to, get, server_tls):
    server = await serve(polite, tls=server_tls)
    pool = pool_to(server)
    with pytest.raises(UpstreamError) as refused:
        await fetch(pool, get())
    assert (refused.value.kind, refused.value.sent) == (FailureKind.TLS, False)
    assert pool.stats() == (0, 0, 0)
    assert server.log == []


async def test_checking_can_be_turned_off(serve, pool_to, get, server_tls):
    server = await serve(polite, tls=server_tls)
    assert await fetch(pool_to(server, tls=tls_context(verify=False)), get()) == b"ok"


async def test_an_upstream_without_tls_is_a_tls_failure(serve, pool_to, get):
    async def plain(peer):
        await peer.reader.read(10)
        await peer.send(b"HTTP/1.1 400 Bad\r\n\r\n")

    server = await serve(plain)
    server.url = server.url.replace("http:", "https:")
    with pytest.raises(UpstreamError) as refused:
        await fetch(pool_to(server), get())
    assert (refused.value.kind, refused.value.sent) == (FailureKind.TLS, False)


@pytest.mark.parametrize("way", ["abort", "cancel", "timeout"])
async def test_a_stalled_handshake_can_be_ended(serve, pool_to, get, way):
    async def stall(peer):
        await peer.reader.readexactly(1)
        peer.server.asked.set()
        while await peer.reader.read(65536):
            pass
        await peer.gone()

    server = await serve(stall)
    server.url = server.url.replace("http:", "https:")
    pool = pool_to(server, timeouts=Timeouts(connect_s=0.2 if way == "timeout" else 3))
    exchange = pool.begin(get())
    task = asyncio.create_task(exchange.start())
    await asyncio.wait_for(server.asked.wait(), 5)
    reason, at = KeyError("left"), asyncio.get_running_loop().time()
    if way != "timeout":
        exchange.abort(reason) if way == "abort" else task.cancel()
    with pytest.raises((KeyError, asyncio.CancelledError, UpstreamError)) as ended:
        await asyncio.wait_for(task, 5)
    if way == "timeout":
        assert ended.value.kind is FailureKind.CONNECT_TIMEOUT
    await asyncio.wait_for(server.closed.wait(), 5)
    assert server.closed_at - at < (0.25 if way != "timeout" else 1)
    assert pool.stats() == (0, 0, 0)


async def test_abort_during_an_answer_is_seen_at_once(serve, pool_to, get, server_tls, certificate):
    async def silent(peer):
        await peer.request()
        await peer.gone()

    server = await serve(silent, tls=server_tls)
    exchange = pool_to(server, tls=tls_context(str(certificate[0]))).begin(get())
    task = asyncio.create_task(exchange.start())
    await asyncio.wait_for(server.asked.wait(), 5)
    at = asyncio.get_running_loop().time()
    exchange.abort(KeyError("left"))
    with pytest.raises(KeyError):
        await task
    await asyncio.wait_for(server.closed.wait(), 5)
    assert server.closed_at - at < 0.25


def test_old_versions_of_tls_are_off():
    context = tls_context()
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
