"""Values that no log line, traceback or listing may show."""

from __future__ import annotations

import hashlib
import hmac
import re

MASK = "********"

_USERINFO = re.compile(r"(?<=://)([^:@/?]*):.*@")
_QUERY_PASSWORD = re.compile(r"(password=)[^&#]*", re.IGNORECASE)


class Secret:
    """Text that formats as a mask; only `reveal` gives it away, so a search finds every use."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Give the text itself."""
        return self._value

    @property
    def masked(self) -> str:
        """What may be shown."""
        return MASK

    @property
    def sensitive(self) -> bool:
        """Whether there is anything to hide."""
        return bool(self._value)

    def __str__(self) -> str:
        return self.masked

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.masked!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)


class HashedSecret(Secret):
    """A secret that is recognized and never needed: only its SHA-256 is kept, and all that `reveal` gives."""

    __slots__ = ()

    def __init__(self, value: str) -> None:
        super().__init__(hashlib.sha256(value.encode()).hexdigest())

    def matches(self, presented: bytes) -> bool:
        """Whether it is this one; how long that takes says nothing about it."""
        return hmac.compare_digest(hashlib.sha256(presented).hexdigest(), self._value)


class SecretUrl(Secret):
    """A URL whose password is the secret; the rest of it may be shown."""

    __slots__ = ()

    @property
    def masked(self) -> str:
        """The URL with every password in it replaced."""
        hidden = _USERINFO.sub(rf"\1:{MASK}@", self._value)
        return _QUERY_PASSWORD.sub(rf"\1{MASK}", hidden)

    @property
    def sensitive(self) -> bool:
        """Whether the URL holds a password."""
        return self.masked != self._value
