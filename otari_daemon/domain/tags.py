"""Labels that callers put on their requests: for reports only, never for who may do what."""

from __future__ import annotations

import re

TAGS_MAX = 16
NAME_CHARS_MAX = 64
VALUE_CHARS_MAX = 128

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_BETWEEN = "\n"


class TagError(ValueError):
    """Tags that cannot be kept, and why."""


def parse_tags(text: str) -> dict[str, str]:
    """Read `team=search,pr=812`; raise `TagError` for anything else."""
    tags: dict[str, str] = {}
    for part in text.split(","):
        name, sign, value = (piece.strip() for piece in part.partition("="))
        if not sign or not usable(name, value):
            raise TagError(
                f"tags read name=value,name=value: names of up to {NAME_CHARS_MAX} letters, digits, '_', '.' "
                f"and '-', printable values of up to {VALUE_CHARS_MAX} characters"
            )
        tags[name] = value
    if len(tags) > TAGS_MAX:
        raise TagError(f"a request carries at most {TAGS_MAX} tags")
    return tags


def usable(name: str, value: str) -> bool:
    """Whether a tag is short and plain enough to be kept."""
    return bool(_NAME.fullmatch(name)) and 0 < len(value) <= VALUE_CHARS_MAX and value.isprintable()


def join_tags(tags: dict[str, str]) -> str:
    """Tags as a row keeps them: sorted lines of `name=value`, the same for the same tags."""
    return _BETWEEN.join(f"{name}={tags[name]}" for name in sorted(tags))


def split_tags(text: str) -> dict[str, str]:
    """What `join_tags` joined."""
    return dict(line.split("=", 1) for line in text.split(_BETWEEN)) if text else {}
