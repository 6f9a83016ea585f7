"""Limits that operators set for keys and users: read from what they write, and shown as they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from otari_daemon.control.limiter import Limiter, Use
from otari_daemon.control.operations.desk import Desk
from otari_daemon.control.seats import Seats
from otari_daemon.domain.errors import InvalidField
from otari_daemon.domain.keys import VirtualKey
from otari_daemon.domain.limits import KEY, KIND_NAMES, NO_CAPS, RATE_MAX, USER, Caps, Slots, Subject
from otari_daemon.protocol.messages import UNSET, InFlight, LimitUse, Unset
from otari_daemon.store import limits as rows
from otari_daemon.store.database import Connection

BUSIEST_MAX = 10
"""Holders told of by `otari status`."""


class Mentions(Protocol):
    """A message that may speak of limits: what is `UNSET` stays, None is left to the configuration."""

    @property
    def rpm(self) -> int | Unset | None:
        """Requests within any 60 s."""

    @property
    def tpm(self) -> int | Unset | None:
        """Tokens within any 60 s."""

    @property
    def max_parallel(self) -> int | Unset | None:
        """Requests at once."""


@dataclass(frozen=True, slots=True)
class CapsEdit:
    """A holder's limits before and after a change."""

    subject: Subject
    before: Caps
    after: Caps

    def write(self, con: Connection) -> None:
        """Write what is different."""
        if self.after != self.before:
            rows.put(con, self.subject, self.after)

    def remember(self, seats: Seats) -> None:
        """Have the next request judged by it."""
        if self.after != self.before:
            seats.set_caps({self.subject: self.after})


def key_edit(seats: Seats, key: VirtualKey, mentioned: Mentions) -> CapsEdit:
    """What a message changes about a key's limits. Raises InvalidField."""
    return _edit(seats, (KEY, key.id), mentioned)


def user_edit(seats: Seats, user_id: str, mentioned: Mentions) -> CapsEdit:
    """What a message changes about a user's limits. Raises InvalidField."""
    return _edit(seats, (USER, user_id), mentioned)


def removal(seats: Seats, subject: Subject) -> CapsEdit:
    """Taking off whatever limits a holder has of its own."""
    return CapsEdit(subject, seats.caps(subject), NO_CAPS)


def key_uses(desk: Desk, key: VirtualKey, caps: Caps) -> tuple[LimitUse, ...]:
    """Every limit on a key's requests wherever they go, as it stands; `caps` are the key's own."""
    user = key.user_id, desk.seats.caps((USER, key.user_id))
    return _shown(desk, _limiter(desk).uses((key.id, caps), user))


def user_uses(desk: Desk, user_id: str, caps: Caps) -> tuple[LimitUse, ...]:
    """Every limit on all of a user's requests, as it stands; `caps` are the user's own."""
    return _shown(desk, _limiter(desk).uses(None, (user_id, caps)))


def busiest(slots: Slots, name_of: Callable[[str], str | None]) -> tuple[InFlight, ...]:
    """The holders with most in flight, at most `BUSIEST_MAX`."""
    most = Counter(slots.taken()).most_common(BUSIEST_MAX)
    return tuple(InFlight(_holder(subject, name_of), count) for subject, count in most)


def _edit(seats: Seats, subject: Subject, mentioned: Mentions) -> CapsEdit:
    before = seats.caps(subject)
    after = Caps(
        _limit(mentioned.rpm, before.rpm, "rpm"),
        _limit(mentioned.tpm, before.tpm, "tpm"),
        _limit(mentioned.max_parallel, before.parallel, "max_parallel"),
    )
    return CapsEdit(subject, before, after)


def _limit(wanted: int | Unset | None, before: int | None, param: str) -> int | None:
    if wanted is UNSET:
        return before
    if isinstance(wanted, int) and not 1 <= wanted <= RATE_MAX:
        raise InvalidField(f"{param} must be from 1 to {RATE_MAX}; a revoked key may do nothing", param=param)
    return wanted if isinstance(wanted, int) else None


def _limiter(desk: Desk) -> Limiter:
    return Limiter(desk.limits(), desk.ledger.meters, desk.clock)


def _shown(desk: Desk, uses: Iterable[Use]) -> tuple[LimitUse, ...]:
    name_of = desk.seats.name_of
    return tuple(
        LimitUse(_holder(use.subject, name_of), use.what, use.most, use.used, "own" if use.own else "config")
        for use in uses
    )


def _holder(subject: Subject, name_of: Callable[[str], str | None]) -> str:
    """A holder as people write it: `key:<name>`, `user:<id>`, `provider:<name>`, `global`."""
    kind, id = subject
    name = name_of(id) if kind == KEY else None
    return f"{KIND_NAMES[kind]}:{name or id}" if id else KIND_NAMES[kind]
