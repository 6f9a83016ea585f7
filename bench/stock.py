"""The gateway anyone would write first: a Falcon resource that proxies with stock `httpx.AsyncClient`.

    python -m bench.stock http://127.0.0.1:PORT

Prints its base URL and serves until it is ended. No keys, no budgets, no ledger. The client may keep as many
connections as it likes; httpx's own default of 20 would cost it more.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import AsyncIterator

import falcon.asgi
import httpx
import uvicorn
import uvloop

_LIMITS = httpx.Limits(max_connections=256, max_keepalive_connections=256)
_TIMEOUT_S = 30.0


class Proxy:
    """`POST` anything, relayed as it is."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send the body on; stream the answer back if it is a stream."""
        headers = {"content-type": "application/json", "authorization": req.get_header("authorization") or ""}
        body = await req.stream.read()
        request = self._client.build_request("POST", req.path, content=body, headers=headers)
        answer = await self._client.send(request, stream=True)
        resp.status = answer.status_code
        resp.content_type = answer.headers["content-type"]
        if answer.headers["content-type"].startswith("text/event-stream"):
            resp.stream = _relayed(answer)
        else:
            resp.data = await answer.aread()


async def _relayed(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()


async def serve(upstream: str) -> None:
    """Listen on a free loopback port until the process is ended."""
    async with httpx.AsyncClient(base_url=upstream, limits=_LIMITS, timeout=_TIMEOUT_S) as client:
        app: falcon.asgi.App[falcon.asgi.Request, falcon.asgi.Response] = falcon.asgi.App()
        app.add_route("/v1/chat/completions", Proxy(client))
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none")
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
            print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
            await uvicorn.Server(config).serve([listener])


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
