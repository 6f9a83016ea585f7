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
class Problem:
    """Why a request failed: `code` is stable, `message` says what, `hint` the way out."""

    code: str
    message: str
    hint: str | None = None
    field: str | None = None
