"""Reading multipart forms by Falcon's parser, for it streams: of a file only a piece is in memory."""

from __future__ import annotations

import asyncio
from typing import BinaryIO

from falcon.asgi import Request
from falcon.asgi.multipart import BodyPart, MultipartForm
from falcon.media import MultipartFormHandler
from falcon.media.multipart import MultipartParseOptions

from otari_daemon.domain.errors import InvalidRequest, TooLarge
from otari_daemon.providers.form import PIECE_BYTES, FilePart, Form

PARTS_MAX = 64
FIELD_BYTES_MAX = 64 << 10
FORM_OVERHEAD_BYTES = PARTS_MAX * (FIELD_BYTES_MAX + (8 << 10))
"""What a form may have beside its files."""

_MULTIPART = "multipart/form-data"


async def read_form(req: Request, spool: BinaryIO, files_bytes_max: int) -> Form:
    """The form of a request, its files written to `spool`.

    Raises InvalidRequest, TooLarge, or falcon's own error for a form that is none.
    """
    content_type = req.content_type or ""
    if content_type.partition(";")[0].strip().lower() != _MULTIPART:
        raise InvalidRequest(f"send a form, as {_MULTIPART}")
    handler = MultipartFormHandler(_options())
    form: MultipartForm = await handler.deserialize_async(req.stream, content_type, req.content_length)
    fields: list[tuple[str, str]] = []
    files: list[FilePart] = []
    end = 0
    async for part in form:
        if not part.name:
            raise InvalidRequest("a part of the form has no name")
        if part.filename is None:
            fields.append((part.name, _text(part.name, await part.get_data())))
            continue
        start, end = end, await _spooled(part, spool, end, files_bytes_max)
        files.append(FilePart(part.name, part.filename, part.content_type, start, end - start))
    return Form(tuple(fields), tuple(files), spool)


async def _spooled(part: BodyPart, spool: BinaryIO, written: int, files_bytes_max: int) -> int:
    """Write a file behind what has been written, and say how much that is then."""
    while piece := await part.stream.read(PIECE_BYTES):
        written += len(piece)
        if written > files_bytes_max:
            raise TooLarge(f"the upload exceeds the maximum of {files_bytes_max >> 20} MiB")
        await asyncio.to_thread(spool.write, piece)
    return written


def _text(name: str, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise InvalidRequest(f"the form field {name!r} is not UTF-8", param=name) from None


def _options() -> MultipartParseOptions:
    options = MultipartParseOptions()
    options.max_body_part_count = PARTS_MAX
    options.max_body_part_buffer_size = FIELD_BYTES_MAX
    return options
