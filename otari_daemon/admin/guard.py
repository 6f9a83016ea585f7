"""Who may speak to the admin socket, and how.

A socket file can be reached by more than operators: by a browser through a careless proxy, by a server
tricked into a request. Those cannot leave out what they send, so what they send is refused.
"""

from __future__ import annotations

from collections.abc import Iterable

import falcon
from falcon.asgi import Request, Response

from otari_daemon.domain.errors import Forbidden, InvalidRequest
from otari_daemon.protocol.paths import HOST, PROTOCOL_HEADER, PROTOCOL_VERSION
from otari_daemon.rest.operations import Actor
from otari_daemon.rest.query import ACTOR

HOSTS = frozenset({HOST.encode(), b"localhost"})
_FOREIGN = (b"origin", b"upgrade")
_FOREIGN_PREFIX = b"sec-fetch-"


class Guard:
    """Falcon middleware: judges every request by its head, and marks every answer with the protocol."""

    def __init__(self, uids: Iterable[int]) -> None:
        self._uids = frozenset(uids)

    async def process_request(self, req: Request, _resp: Response) -> None:
        """Refuse before routing; then route by the path as it was sent, so that an id may hold a slash."""
        self._judge_peer(req)
        headers: list[tuple[bytes, bytes]] = list(req.scope["headers"])
        _judge_headers(headers)
        _judge_body(req, {name for name, _ in headers})
        req.path = req.scope["raw_path"].decode("latin-1")

    async def process_response(
        self, _req: Request, resp: Response, _resource: object, _succeeded: bool
    ) -> None:
        """Say which protocol this is."""
        resp.set_header(PROTOCOL_HEADER, PROTOCOL_VERSION)

    def _judge_peer(self, req: Request) -> None:
        reader = req.scope.get("otari.reader")
        peer = reader.peer if reader is not None else None
        if peer is None:
            raise Forbidden("the system does not say who is calling")
        if peer.uid not in self._uids:
            raise Forbidden(f"uid {peer.uid} is not an operator here; add it to admin_uids")
        req.scope[ACTOR] = Actor(peer.pid, peer.uid)


def _judge_headers(headers: list[tuple[bytes, bytes]]) -> None:
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) != 1 or hosts[0] not in HOSTS:
        raise Forbidden(f"the host of the admin socket is {HOST}")
    for name, _ in headers:
        if name in _FOREIGN or name.startswith(_FOREIGN_PREFIX):
            raise Forbidden(f"the admin socket does not take {name.decode('latin-1')} headers")


def _judge_body(req: Request, names: set[bytes]) -> None:
    if not names & {b"content-length", b"transfer-encoding"} or req.content_length == 0:
        return
    if req.method not in ("POST", "PATCH"):
        raise InvalidRequest(f"a {req.method} takes no body here")
    kind, _, options = (req.content_type or "").partition(";")
    if kind.strip().lower() != "application/json" or options.strip().lower() not in ("", "charset=utf-8"):
        raise falcon.HTTPUnsupportedMediaType(title="a body must be application/json")
    if b"content-encoding" in names:
        raise falcon.HTTPUnsupportedMediaType(title="a body must not be compressed")
