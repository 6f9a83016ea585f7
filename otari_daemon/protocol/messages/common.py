"""What the messages of more than one subject have in common."""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal


class Unset(Enum):
    """A field a change does not mention: it stays as it is. `None` clears it."""

    UNSET = "unset"


UNSET = Unset.UNSET

Metadata = dict[str, Any]
Mode = Literal["enforce", "shadow"]


@dataclass(frozen=True, slots=True)
class LimitUse:
    """A limit a holder is under, and how much of it is taken now.

    `limit` is `rpm` or `tpm` (within the last 60 s) or `max_parallel`; `source` is who set it: `own` for an
    operator, for this holder, or `config`.
    """

    holder: str
    limit: str
    most: int
    used: int
    source: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request failed: `code` is stable, `message` says what, `hint` the way out."""

    code: str
    message: str
    hint: str | None = None
    field: str | None = None
