"""`multipart/form-data` read as it arrives: of a file, no more is kept than was asked for."""

import re
from dataclasses import dataclass, field

MAX_PARTS = 64
MAX_PART_HEAD = 8 * 1024
MAX_FIELD = 1024 * 1024
MAX_BOUNDARY = 70

_BOUNDARY = re.compile(rb'multipart/form-data\s*;.*?boundary="?([^";\s]+)"?', re.IGNORECASE | re.DOTALL)
_NAME = re.compile(rb'[;\s]name="([^"]*)"', re.IGNORECASE)
_FILENAME = re.compile(rb'[;\s]filename="([^"]*)"', re.IGNORECASE)


class BadForm(Exception):
    """The body is not the form its header announces, or has too much of something."""


@dataclass(slots=True)
class Part:
    """One part: a field when it has no `filename`. `size` counts every byte, `kept` holds the first."""

    name: str
    filename: str | None
    size: int = 0
    kept: bytearray = field(default_factory=bytearray)


class Form:
    """Parts so far; `kept` is how many bytes of each file stay in memory.

    `fault` says what is wrong with the body, once something is; the rest of it is then ignored.
    """

    def __init__(self, boundary: bytes, kept: int) -> None:
        self.fault: str | None = None
        self.parts: list[Part] = []
        self._mark = b"\r\n--" + boundary
        self._kept = kept
        self._held = bytearray(b"\r\n")  # the first boundary may begin the body
        self._part: Part | None = None
        self._between = False  # behind a boundary, before the part's own bytes
        self._ended = False

    def feed(self, data: bytes) -> None:
        """Take more of the body."""
        if self.fault is not None or self._ended:
            return
        self._held += data
        try:
            while self._step():
                pass
        except BadForm as bad:
            self.fault = str(bad)
            self._held.clear()

    def close(self) -> None:
        """The body has ended."""
        if not self._ended and self.fault is None:
            self.fault = "the form ends before its last boundary"

    def field(self, name: str) -> str | None:
        """The text of the field called `name`."""
        for part in self.parts:
            if part.name == name and part.filename is None:
                return part.kept.decode("utf-8", "replace")
        return None

    def files(self, *names: str) -> list[Part]:
        """The files sent under any of `names`, in order."""
        return [part for part in self.parts if part.name in names and part.filename is not None]

    def _step(self) -> bool:
        """Take what is held one step further; whether there may be another."""
        return self._read_head() if self._between else self._read_data()

    def _read_data(self) -> bool:
        at = self._held.find(self._mark)
        if at < 0:
            self._keep(max(0, len(self._held) - len(self._mark) + 1))
            return False
        self._keep(at)
        del self._held[: len(self._mark)]
        self._between = True
        return True

    def _keep(self, size: int) -> None:
        """Move `size` held bytes to the part they belong to."""
        part = self._part
        if part is not None:
            part.size += size
            most = MAX_FIELD if part.filename is None else self._kept
            if part.filename is None and part.size > MAX_FIELD:
                raise BadForm(f"the field {part.name!r} is too large")
            part.kept += self._held[: min(size, max(0, most - len(part.kept)))]
        del self._held[:size]

    def _read_head(self) -> bool:
        if self._held.startswith(b"--"):
            self._ended = True
            self._held.clear()
            return False
        end = self._held.find(b"\r\n\r\n")
        if end < 0:
            if len(self._held) > MAX_PART_HEAD:
                raise BadForm("a part of the form has too long a head")
            return False
        self._begin(bytes(self._held[:end]))
        del self._held[: end + 4]
        self._between = False
        return True

    def _begin(self, head: bytes) -> None:
        """Start the part with this `head`."""
        name, filename = _NAME.search(head), _FILENAME.search(head)
        if name is None or len(self.parts) == MAX_PARTS:
            raise BadForm("a part of the form has no name" if name is None else "the form has too many parts")
        given = None if filename is None else filename[1].decode("utf-8", "replace")
        self._part = Part(name[1].decode("utf-8", "replace"), given)
        self.parts.append(self._part)


def boundary_of(content_type: bytes) -> bytes | None:
    """The boundary of the form that `content_type` announces, if it announces one."""
    found = _BOUNDARY.match(content_type)
    return found[1] if found is not None and len(found[1]) <= MAX_BOUNDARY else None
