"""Every virtual key in memory, so that no request waits for the database to know its caller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from otari_daemon.domain.book import Book, Bundle
from otari_daemon.domain.budgets import EVERYBODY, Assignment, Holder, HolderKind
from otari_daemon.domain.freezes import Freeze
from otari_daemon.domain.keys import VirtualKey, digest
from otari_daemon.domain.limits import KEY, NO_CAPS, USER, Bounds, Caps, Subject
from otari_daemon.domain.users import User


@dataclass(slots=True)
class Seat:
    """A key, its user, and the ceilings it draws on, gathered anew when a period ends.

    `key_caps` and `user_caps` are what operators set for them; `bounds` are the limits on requests, by
    provider, as the limiter gathered them from these.
    """

    key: VirtualKey
    user: User
    bundle: Bundle | None = None
    used_ms: int = 0
    noted_ms: int = 0
    key_caps: Caps = NO_CAPS
    user_caps: Caps = NO_CAPS
    bounds: dict[str | None, Bounds] = field(default_factory=dict)


class Seats:
    """Keys by digest and id, users by id, accounts by holder. Belongs to the event loop's thread."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._by_digest: dict[bytes, Seat] = {}
        self._by_id: dict[str, Seat] = {}
        self.users: dict[str, User] = {}
        self.accounts_of: dict[Holder, tuple[int, ...]] = {}
        self.frozen: dict[Holder, Freeze] = {}
        self._caps: dict[Subject, Caps] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def load(
        self,
        keys: Iterable[VirtualKey],
        users: Iterable[User],
        assignments: Iterable[Assignment],
        frozen: Iterable[Freeze] = (),
    ) -> None:
        """Take everything the store knows, once, at start."""
        self.frozen = {freeze.holder: freeze for freeze in frozen}
        self.users = {user.id: user for user in users}
        self.set_assignments(assignments)
        for key in keys:
            self.put_key(key)

    def renew(
        self,
        keys: Iterable[VirtualKey],
        users: Iterable[User],
        frozen: Iterable[Freeze],
        caps: Mapping[Subject, Caps],
    ) -> None:
        """Take what the store knows by now in place of what is known; seats of unchanged keys stay."""
        self.frozen = {freeze.holder: freeze for freeze in frozen}
        self.users = {user.id: user for user in users}
        living = {key.id: key for key in keys}
        for key_id in self._by_id.keys() - living.keys():
            self.drop_key(key_id)
        for key in living.values():
            seat = self._by_id.get(key.id)
            if seat is None or seat.key != key:
                self.put_key(key)
            else:
                seat.user = self.users[key.user_id]
        self._caps = {}
        self.set_caps(caps)

    def find(self, token: bytes) -> Seat | None:
        """The seat of whoever presents `token`, whatever its state."""
        return self._by_digest.get(digest(token))

    def by_id(self, key_id: str) -> Seat | None:
        """The seat of a key by its id."""
        return self._by_id.get(key_id)

    def all(self) -> list[Seat]:
        """Every seat there is, whatever its state."""
        return list(self._by_id.values())

    def name_of(self, key_id: str) -> str | None:
        """A key's label, for people; None for keys that are gone."""
        seat = self._by_id.get(key_id)
        return seat.key.name if seat else None

    def put_key(self, key: VirtualKey) -> None:
        """Add a key, or replace what was known of it; a rotated digest stops working at once."""
        known = self._by_id.get(key.id)
        if known is not None:
            self._by_digest.pop(known.key.digest, None)
        caps = self.caps((KEY, key.id)), self.caps((USER, key.user_id))
        seat = Seat(key, self.users[key.user_id], key_caps=caps[0], user_caps=caps[1])
        self._by_id[key.id] = self._by_digest[key.digest] = seat

    def drop_key(self, key_id: str) -> None:
        """Forget a key."""
        seat = self._by_id.pop(key_id, None)
        if seat is not None:
            self._by_digest.pop(seat.key.digest, None)

    def put_user(self, user: User) -> None:
        """Add a user, or replace what was known of them in every seat."""
        self.users[user.id] = user
        for seat in self._by_id.values():
            if seat.user.id == user.id:
                seat.user = user

    def caps(self, subject: Subject) -> Caps:
        """What an operator set for a key or user."""
        return self._caps.get(subject, NO_CAPS)

    def set_caps(self, changed: Mapping[Subject, Caps]) -> None:
        """Replace what operators set for some holders; every seat gathers its limits anew."""
        for subject, caps in changed.items():
            self._caps[subject] = caps
            if caps == NO_CAPS:
                del self._caps[subject]
        for seat in self._by_id.values():
            seat.key_caps = self.caps((KEY, seat.key.id))
            seat.user_caps = self.caps((USER, seat.user.id))
            seat.bounds.clear()

    def set_assignments(self, assignments: Iterable[Assignment]) -> None:
        """Replace who draws on which accounts; every seat gathers its ceilings anew."""
        drawn: dict[Holder, list[int]] = {}
        for assignment in assignments:
            drawn.setdefault(assignment.holder, []).append(assignment.account_id)
        self.accounts_of = {holder: tuple(accounts) for holder, accounts in drawn.items()}
        for seat in self._by_id.values():
            seat.bundle = None

    def gather_anew(self, budget_id: str) -> None:
        """Have every seat under a budget gather its ceilings anew at its next request."""
        for seat in self._by_id.values():
            if seat.bundle and any(account.budget_id == budget_id for account in seat.bundle.accounts):
                seat.bundle = None

    def freeze_of(self, seat: Seat, now_ms: int) -> Freeze | None:
        """What keeps a key or its user from asking now; a freeze that has ended is forgotten."""
        for holder in (Holder(HolderKind.KEY, seat.key.id), Holder(HolderKind.USER, seat.user.id)):
            freeze = self.frozen.get(holder)
            if freeze is not None:
                if freeze.holds(now_ms):
                    return freeze
                del self.frozen[holder]
        return None

    def unnoted_uses(self) -> list[tuple[int, str]]:
        """When keys were last used, as far as it is new since the last call: (epoch ms, key id)."""
        used = [seat for seat in self._by_id.values() if seat.used_ms > seat.noted_ms]
        for seat in used:
            seat.noted_ms = seat.used_ms
        return [(seat.used_ms, seat.key.id) for seat in used]

    def bundle(self, seat: Seat, now_ms: int) -> Bundle:
        """The ceilings a key draws on now: its own, its user's and everybody's."""
        bundle = seat.bundle
        if bundle is None or now_ms >= bundle.until_ms:
            bundle = seat.bundle = self._book.bundle(self.account_ids(seat), now_ms)
        return bundle

    def account_ids(self, seat: Seat) -> tuple[int, ...]:
        """The accounts of a key, its user and everybody."""
        holders = (Holder(HolderKind.KEY, seat.key.id), Holder(HolderKind.USER, seat.user.id), EVERYBODY)
        return tuple(account for holder in holders for account in self.accounts_of.get(holder, ()))
