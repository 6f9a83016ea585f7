"""Where files are kept: in memory, the oldest making room for the newest."""

from collections import OrderedDict
from dataclasses import dataclass

MAX_FILES = 1_000
MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class File:
    """One file; `created` in seconds of the epoch."""

    file_id: str
    name: str
    purpose: str
    created: int
    content: bytes


class Shelf:
    """At most `MAX_FILES` files of `MAX_BYTES` together, and always the newest."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, File] = OrderedDict()
        self._bytes = 0

    def files(self) -> list[File]:
        """All files, newest first."""
        return list(reversed(self._files.values()))

    def find(self, file_id: str) -> File | None:
        """The file, if it is there."""
        return self._files.get(file_id)

    def put(self, file: File) -> None:
        """Keep `file`."""
        self._files[file.file_id] = file
        self._bytes += len(file.content)
        while len(self._files) > 1 and (len(self._files) > MAX_FILES or self._bytes > MAX_BYTES):
            self.drop(next(iter(self._files)))

    def drop(self, file_id: str) -> None:
        """Forget the file; it must be there."""
        self._bytes -= len(self._files.pop(file_id).content)
