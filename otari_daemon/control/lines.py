"""Requests in line for room under budgets that throttle: one line per account, in order of arrival."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from otari_daemon.domain.book import Bundle, Refused
from otari_daemon.domain.money import Nano

T = TypeVar("T")


class Place:
    """One request's place in the line of one account."""

    __slots__ = ("_woken", "account_id", "gone")

    def __init__(self, account_id: int) -> None:
        self.account_id = account_id
        self.gone = False
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There may be room."""
        self._woken.set()

    def leave(self) -> None:
        """The client has left."""
        self.gone = True
        self._woken.set()

    async def woken(self, timeout_s: float) -> None:
        """Return when woken or after `timeout_s`, whichever is first."""
        try:
            async with asyncio.timeout(max(0.0, timeout_s)):
                await self._woken.wait()
        except TimeoutError:
            pass
        self._woken.clear()


class Lines:
    """All lines of this node; `waiting` is how many stand in them. Belongs to the event loop's thread."""

    def __init__(self) -> None:
        self.waiting = 0
        self._lines: dict[int, deque[Place]] = {}
        self._served: int | None = None

    def join(self, account_id: int) -> Place:
        """Stand at the end of an account's line."""
        place = Place(account_id)
        self._lines.setdefault(account_id, deque()).append(place)
        self.waiting += 1
        return place

    def leave(self, place: Place) -> None:
        """Step out of the line; whoever is first in it now looks for room."""
        line = self._lines[place.account_id]
        line.remove(place)
        self.waiting -= 1
        if line:
            line[0].wake()
        else:
            del self._lines[place.account_id]

    def first(self, place: Place) -> bool:
        """Whether nobody is ahead."""
        return self._lines[place.account_id][0] is place

    def serve(self, place: Place, attempt: Callable[[], T]) -> T:
        """Make an attempt that the place's own line does not stand in the way of."""
        self._served = place.account_id
        try:
            return attempt()
        finally:
            self._served = None

    def ahead(self, bundle: Bundle, amount: Nano) -> Refused | None:
        """The account of a bundle at which others wait already."""
        for account, balance in zip(bundle.accounts, bundle.balances, strict=True):
            if account.id in self._lines and account.id != self._served and account.cap is not None:
                return Refused(account, balance, amount)
        return None

    def room_made(self, bundle: Bundle) -> None:
        """Money came free under these accounts: whoever is first in their lines looks for room."""
        for account in bundle.accounts:
            self.wake(account.id)

    def wake(self, account_id: int) -> None:
        """Whoever is first in an account's line looks for room."""
        line = self._lines.get(account_id)
        if line:
            line[0].wake()

    def has(self, account_id: int) -> bool:
        """Whether anybody stands in an account's line."""
        return account_id in self._lines
