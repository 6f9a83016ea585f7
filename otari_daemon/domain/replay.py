"""Requests that were made, under a budget they were not under: the book decides, as it does for live ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import NamedTuple

from otari_daemon.domain.book import Account, Book, Bundle, Hold, Refused
from otari_daemon.domain.money import Nano
from otari_daemon.domain.windows import Window

DAY_MS = 86_400_000
JOURNAL_MAX = 4096
"""Entries after which the journal, which nobody reads here, is emptied."""


class Made(NamedTuple):
    """A request as it was made: what was held for it while it ran, and what it came to; nano-USD."""

    created_ms: int
    settled_ms: int
    key_id: str
    user_id: str
    held: int
    charged: int


@dataclass(slots=True)
class Subject:
    """One holder under the budget, and how it fared."""

    account: Account
    bundle: Bundle | None = None
    requests: int = 0
    refused: int = 0
    first_refused_ms: int | None = None
    actual: int = 0
    allowed: int = 0


class Replay:
    """Requests in the order they were made, each settled when it was. One that only watches refuses none."""

    def __init__(self, limit: Nano | None, window: Window, *, enforced: bool) -> None:
        self._book = Book()
        self._limit, self._window, self._enforced = limit, window, enforced
        self._ends: list[tuple[int, int, Hold, int]] = []
        self._number = 0
        self.subjects: dict[str, Subject] = {}
        self.refused_keys: Counter[str] = Counter()
        self.refused_users: Counter[str] = Counter()
        self.refused_days: Counter[int] = Counter()

    def take(self, holder: str, made: Made) -> None:
        """Make a request again, no earlier than the one before it."""
        self._settle_until(made.created_ms)
        subject = self.subjects.get(holder) or self._subject(holder)
        bundle = subject.bundle
        if bundle is None or made.created_ms >= bundle.until_ms:
            bundle = subject.bundle = self._book.bundle((subject.account.id,), made.created_ms)
        subject.requests += 1
        subject.actual += made.charged
        if self._refuses(bundle, made):
            self._note(subject, made)
            if self._enforced:
                return
        subject.allowed += made.charged
        self._number += 1
        hold = self._book.reserve(self._number.to_bytes(16, "big"), bundle, Nano(made.held), None)
        assert isinstance(hold, Hold), "what is not refused is admitted"
        heappush(self._ends, (made.settled_ms, self._number, hold, made.charged))
        if len(self._book.journal) > JOURNAL_MAX:
            self._book.take_journal()

    def _subject(self, holder: str) -> Subject:
        number = len(self.subjects) + 1
        account = Account(number, "", holder, self._limit, self._window, enforced=self._enforced)
        self._book.accounts[number] = account
        made = self.subjects[holder] = Subject(account)
        return made

    def _refuses(self, bundle: Bundle, made: Made) -> Refused | None:
        """What the book says, or would say if the budget did more than watch."""
        if self._enforced:
            return self._book.refusal(bundle, Nano(made.held))
        (account,) = bundle.accounts
        account.enforced = True
        try:
            return self._book.refusal(bundle, Nano(made.held))
        finally:
            account.enforced = False

    def _note(self, subject: Subject, made: Made) -> None:
        subject.refused += 1
        if subject.first_refused_ms is None:
            subject.first_refused_ms = made.created_ms
        self.refused_keys[made.key_id] += 1
        self.refused_users[made.user_id] += 1
        self.refused_days[made.created_ms // DAY_MS] += 1

    def _settle_until(self, now_ms: int) -> None:
        """Settle what has ended by now; an overage is acknowledged, as if an operator had looked at once."""
        ends, book = self._ends, self._book
        while ends and ends[0][0] <= now_ms:
            _, _, hold, charged = heappop(ends)
            if book.settle(hold, Nano(charged), None).overage:
                book.acknowledge(hold.bundle.accounts[0].id)
