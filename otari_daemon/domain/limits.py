"""How much may be asked: requests and tokens per minute, requests at once; per key, user, provider, in all.

Pure: the time is an argument, in monotonic nanoseconds. See docs/decisions/0007-limits.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

MINUTE_S = 60
MINUTE_NS = MINUTE_S * 10**9
SECOND_NS = 10**9

RATE_MAX = 10**12
"""The highest limit that can be set: as good as none, for a holder whom a default would limit."""

KEY, USER, PROVIDER, EVERYBODY = range(4)
"""Kinds of holders."""

KIND_NAMES = ("key", "user", "provider", "global")

Subject = tuple[int, str]
"""A holder: its kind and its id; everybody's id is empty."""

ALL: Subject = (EVERYBODY, "")


class Caps(NamedTuple):
    """What one holder may do: requests and tokens per minute, requests at once (None: no limit)."""

    rpm: int | None = None
    tpm: int | None = None
    parallel: int | None = None

    def over(self, base: Caps) -> Caps:
        """These where they say something, those of `base` where they do not."""
        return Caps(*(theirs if own is None else own for own, theirs in zip(self, base, strict=True)))


NO_CAPS = Caps()


class Limits(NamedTuple):
    """The limits of one configuration: in flight in all, and what each holder may do by default.

    `throttled` requests at a time wait for room under budgets, each at most `throttle_wait_s`.
    """

    in_flight: int = 1_000
    key: Caps = NO_CAPS
    user: Caps = NO_CAPS
    everybody: Caps = NO_CAPS
    providers: Mapping[str, Caps] = MappingProxyType({})
    throttled: int = 200
    throttle_wait_s: float = 10.0


class Bound(NamedTuple):
    """One limit on one holder."""

    subject: Subject
    most: int


class Bounds(NamedTuple):
    """All limits on one kind of request, by what they count. `source` are the limits they were read from."""

    source: Limits
    rpm: tuple[Bound, ...]
    tpm: tuple[Bound, ...]
    parallel: tuple[Bound, ...]


def bounds(source: Limits, holders: Mapping[Subject, Caps]) -> Bounds:
    """Gather what limits the requests that all of these holders answer for."""

    def of(field: int) -> tuple[Bound, ...]:
        found = ((subject, caps[field]) for subject, caps in holders.items())
        return tuple(Bound(subject, most) for subject, most in found if most is not None)

    return Bounds(source, of(0), of(1), of(2))


class Quota(NamedTuple):
    """How a limit stands after a request.

    Some of it comes back at epoch second `reset_s`; all of it is free again `full_s` seconds from now.
    """

    limit: int
    remaining: int
    reset_s: int
    full_s: int


class Standing(NamedTuple):
    """What a caller is told: how requests and tokens stand, each by its tightest limit, and requests at once.

    A refusal tells of the limit that refused, and of no other; `parallel` is only told then.
    """

    requests: Quota | None = None
    tokens: Quota | None = None
    parallel: Quota | None = None


class Slots:
    """How many requests each key, user and provider has in flight; holders without any are not kept."""

    def __init__(self) -> None:
        self._taken: tuple[dict[str, int], ...] = ({}, {}, {})
        self._all = 0

    def of(self, subject: Subject) -> int:
        """Requests a holder has in flight."""
        kind, id = subject
        return self._all if kind == EVERYBODY else self._taken[kind].get(id, 0)

    def take(self, key_id: str, user_id: str, provider: str) -> None:
        """One more, of a key of a user, at a provider."""
        keys, users, providers = self._taken
        keys[key_id] = keys.get(key_id, 0) + 1
        users[user_id] = users.get(user_id, 0) + 1
        providers[provider] = providers.get(provider, 0) + 1
        self._all += 1

    def give_back(self, key_id: str, user_id: str, provider: str) -> None:
        """One less, as it was taken. Raises KeyError where there is none."""
        keys, users, providers = self._taken
        _one_less(keys, key_id)
        _one_less(users, user_id)
        _one_less(providers, provider)
        self._all -= 1

    def taken(self) -> dict[Subject, int]:
        """A copy of all counts but everybody's."""
        return {(kind, id): count for kind, counts in enumerate(self._taken) for id, count in counts.items()}


def _one_less(counts: dict[str, int], id: str) -> None:
    left = counts[id] - 1
    if left:
        counts[id] = left
    else:
        del counts[id]


def seconds_up(span_ns: int) -> int:
    """Whole seconds that are not less than a span."""
    return -(-span_ns // SECOND_NS)
