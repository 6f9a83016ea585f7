"""Resources that look at whole stretches of the books, and correct what they find."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Generic, Protocol, TypeVar

from falcon.asgi import Request, Response

from otari_daemon.admin import query
from otari_daemon.admin.media import answer, question
from otari_daemon.admin.operations import Actor, Operations
from otari_daemon.protocol.messages import BudgetSimulate

Q = TypeVar("Q")
C = TypeVar("C", contravariant=True)


class Corrects(Protocol[C]):
    """Looks at the books as asked, and corrects them unless it is a dry run."""

    def __call__(self, asked: C, actor: Actor, *, dry_run: bool) -> Awaitable[object]: ...


class Change(Generic[Q]):
    """POST asks, and changes what was asked for."""

    def __init__(self, asked: type[Q], correct: Corrects[Q]) -> None:
        self._asked = asked
        self._correct = correct

    async def on_post(self, req: Request, resp: Response) -> None:
        """Answer what was found and what was corrected."""
        actor, dry_run = query.write(req)
        asked = await question(req, self._asked)
        answer(resp, await self._correct(asked, actor, dry_run=dry_run))


class Simulate:
    """POST tries a budget on the past; nothing changes."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_post(self, req: Request, resp: Response) -> None:
        """Answer what it would have done."""
        query.none(req)
        answer(resp, await self._operations.simulate_budget(await question(req, BudgetSimulate)))
