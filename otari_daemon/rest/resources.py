"""Falcon resources of four shapes: a collection, a member of it, an action on one, what is only shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Protocol, TypeVar

from falcon.asgi import Request, Response

from otari_daemon.rest import query
from otari_daemon.rest.media import answer, question
from otari_daemon.rest.operations import Actor

Q = TypeVar("Q")
C = TypeVar("C", contravariant=True)


class Creates(Protocol[C]):
    """Makes a new member."""

    def __call__(self, new: C, actor: Actor, *, dry_run: bool) -> Awaitable[object]: ...


class Updates(Protocol[C]):
    """Changes the member of an id."""

    def __call__(self, id: str, change: C, actor: Actor, *, dry_run: bool) -> Awaitable[object]: ...


class Acts(Protocol):
    """Does something to the member of an id."""

    def __call__(self, id: str, actor: Actor, *, dry_run: bool) -> Awaitable[object]: ...


class Collection(Generic[Q]):
    """GET lists members, POST makes one."""

    def __init__(
        self,
        new: type[Q],
        create: Creates[Q],
        members: Callable[[int, int], Awaitable[Sequence[object]]],
    ) -> None:
        self._new = new
        self._create = create
        self._members = members

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer a bare list."""
        answer(resp, await self._members(*query.page(req)))

    async def on_post(self, req: Request, resp: Response) -> None:
        """Answer the new member."""
        actor, dry_run = query.write(req)
        new = await question(req, self._new)
        answer(resp, await self._create(new, actor, dry_run=dry_run))


class Member(Generic[Q]):
    """GET shows, PATCH changes, DELETE removes."""

    def __init__(
        self,
        show: Callable[[str], Awaitable[object]],
        change: type[Q],
        update: Updates[Q],
        delete: Acts,
    ) -> None:
        self._show = show
        self._change = change
        self._update = update
        self._delete = delete

    async def on_get(self, req: Request, resp: Response, id: str) -> None:
        """Answer the member."""
        query.none(req)
        answer(resp, await self._show(query.named(id)))

    async def on_patch(self, req: Request, resp: Response, id: str) -> None:
        """Answer the member as changed."""
        actor, dry_run = query.write(req)
        change = await question(req, self._change)
        answer(resp, await self._update(query.named(id), change, actor, dry_run=dry_run))

    async def on_delete(self, req: Request, resp: Response, id: str) -> None:
        """Answer nothing."""
        actor, dry_run = query.write(req)
        await self._delete(query.named(id), actor, dry_run=dry_run)
        resp.status = 204


class Action:
    """POST does one thing to a member and answers what it is now."""

    def __init__(self, act: Acts) -> None:
        self._act = act

    async def on_post(self, req: Request, resp: Response, id: str) -> None:
        """Do it."""
        actor, dry_run = query.write(req)
        answer(resp, await self._act(query.named(id), actor, dry_run=dry_run))


class Shown:
    """GET answers what there is."""

    def __init__(self, find: Callable[[], Awaitable[object]]) -> None:
        self._find = find

    async def on_get(self, req: Request, resp: Response) -> None:
        """Show it."""
        query.none(req)
        answer(resp, await self._find())
