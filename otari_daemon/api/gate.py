"""Who is let through to what is not inference: the master key, or where that is enough a virtual key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from falcon.asgi import Request, Response

from otari_daemon.api.access import Access
from otari_daemon.api.attempts import Attempts
from otari_daemon.api.credentials import credential
from otari_daemon.api.headers import REQUEST_ID
from otari_daemon.config.secret import HashedSecret
from otari_daemon.control.actor import Actor
from otari_daemon.control.plane import Caller
from otari_daemon.domain.errors import ManagementOff, RateLimited, Unauthenticated
from otari_daemon.rest.query import ACTOR

CALLER = "otari.caller"
"""Where in the scope a virtual key's caller is; nothing is there for the master key."""

Authenticate = Callable[[bytes, str, str], Awaitable[Caller]]
Responder = Callable[..., Awaitable[None]]


class Gate:
    """Judges a request by its head, before anything of its body is read."""

    def __init__(
        self, master_key: Callable[[], HashedSecret | None], authenticate: Authenticate, attempts: Attempts
    ) -> None:
        self._master_key = master_key
        self._authenticate = authenticate
        self._attempts = attempts

    async def admit(self, req: Request, access: Access) -> None:
        """Put who is asking into the scope.

        Raises ManagementOff, Unauthenticated, InvalidRequest, and RateLimited for an address that guesses.
        """
        master_key = None if access is Access.KEY else self._master_key()
        if master_key is None and access is Access.MASTER:
            raise ManagementOff(
                "master key not configured, so management over TCP is off: set OTARI_MASTER_KEY, or use "
                "otari on the machine itself"
            )
        token, source = credential(req.scope["headers"]), _source(req)
        wait_s = 0 if master_key is None else self._attempts.wait_s(source)
        if master_key is not None and not wait_s and master_key.matches(token):
            req.scope[ACTOR] = Actor.with_master_key(source)
            return
        try:
            req.scope[CALLER] = await self._caller(req, token, access)
        except Unauthenticated as refusal:
            if wait_s:
                raise RateLimited(
                    f"too many wrong credentials from this address; wait {wait_s} s", retry_after_s=wait_s
                ) from refusal
            self._attempts.failed(source)
            raise

    def guarding(self, access: Access, responder: Responder) -> Responder:
        """A responder that answers only whom it may."""

        async def guarded(req: Request, resp: Response, **params: Any) -> None:
            await self.admit(req, access)
            await responder(req, resp, **params)

        return guarded

    async def _caller(self, req: Request, token: bytes, access: Access) -> Caller:
        if access is Access.MASTER:
            raise Unauthenticated("invalid master key")
        endpoint = (req.uri_template or "").partition("/{")[0]
        return await self._authenticate(token, req.scope[REQUEST_ID], endpoint)


class Guarded:
    """A resource behind a gate: only methods whose access is declared can be reached at all."""

    def __init__(self, gate: Gate, resource: object, declared: Mapping[str, Access]) -> None:
        for method, access in declared.items():
            name = f"on_{method.lower()}"
            setattr(self, name, gate.guarding(access, getattr(resource, name)))


def caller_of(req: Request) -> Caller | None:
    """Whose virtual key was presented; None for the master key, which sees everything."""
    caller: Caller | None = req.scope.get(CALLER)
    return caller


def _source(req: Request) -> str:
    client = req.scope.get("client")
    return str(client[0]) if client else "unknown"
