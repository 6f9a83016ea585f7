"""A multipart form that has been read whole, its files in a spool on disk, and how it is sent on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

import msgspec

from otari_daemon.domain.errors import InvalidRequest

PIECE_BYTES = 256 << 10
FILES = "files"
"""Under this name the sizes of a form's files are described among its fields."""

_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


class FilePart(NamedTuple):
    """One file of a form: `size` bytes of the spool from `start`."""

    name: str
    filename: str
    content_type: str
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Form:
    """Fields and files in the order they came; whoever made the spool closes it."""

    fields: tuple[tuple[str, str], ...]
    files: tuple[FilePart, ...]
    spool: BinaryIO

    def described(self) -> bytes:
        """The form as a JSON object: its fields, and of its files name and size. Raises InvalidRequest."""
        told: dict[str, object] = {}
        for name, value in self.fields:
            if name == FILES or (name in told and not name.endswith("[]")):
                raise InvalidRequest(f"the form field {name!r} may not be there, or not twice", param=name)
            told[name] = value
        return msgspec.json.encode({**told, FILES: [[part.name, part.size] for part in self.files]})

    def sent_as(self, model: str, boundary: str) -> Sending:
        """The form for `model`, fields first; `boundary` must be nobody's to guess."""
        fields = [(name, model if name == "model" else value) for name, value in self.fields]
        return Sending(self._parts(fields, boundary), boundary, self.spool)

    def _parts(self, fields: list[tuple[str, str]], boundary: str) -> list[bytes | FilePart]:
        """Bytes to send, and files where they stand between them."""
        parts: list[bytes | FilePart] = []
        for name, value in fields:
            head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n'
            parts.append(f"{head}{value}\r\n".encode())
        for part in self.files:
            named = f'name="{_quoted(part.name)}"; filename="{_quoted(part.filename)}"'
            kind = _quoted(part.content_type)
            head = f"--{boundary}\r\nContent-Disposition: form-data; {named}\r\nContent-Type: {kind}\r\n\r\n"
            parts += [head.encode(), part, b"\r\n"]
        return [*parts, f"--{boundary}--\r\n".encode()]


class Sending:
    """A form on its way to a provider: pieces of at most `PIECE_BYTES`, `length` bytes in all."""

    def __init__(self, parts: list[bytes | FilePart], boundary: str, spool: BinaryIO) -> None:
        self.content_type = f"multipart/form-data; boundary={boundary}".encode()
        self.length = sum(part.size if isinstance(part, FilePart) else len(part) for part in parts)
        self._pieces = _cut(parts)
        self._spool = spool

    def __aiter__(self) -> Sending:
        return self

    async def __anext__(self) -> bytes:
        piece = next(self._pieces, None)
        if piece is None:
            raise StopAsyncIteration
        if isinstance(piece, bytes):
            return piece
        return await asyncio.to_thread(self._read, piece)

    def _read(self, piece: range) -> bytes:
        self._spool.seek(piece.start)
        return self._spool.read(len(piece))


def _cut(parts: list[bytes | FilePart]) -> Iterator[bytes | range]:
    """Bytes as they are, files as ranges of the spool."""
    for part in parts:
        if isinstance(part, bytes):
            yield part
            continue
        end = part.start + part.size
        for start in range(part.start, end, PIECE_BYTES):
            yield range(start, min(end, start + PIECE_BYTES))


def _quoted(text: str) -> str:
    """A name as browsers write it, which cannot end its line or its quotes."""
    return text.translate(_ESCAPES)
