"""Which request bodies are read as forms, and how much of their files is kept."""

from otari_daemon.mock.multipart import Form, boundary_of

MAX_UPLOAD = 1024 * 1024 * 1024
MAX_STORED_FILE = 16 * 1024 * 1024
GLIMPSE = 64

FILES = b"/v1/files"

_MULTIPART = b"multipart/"


def open_form(target: bytes, headers: list[tuple[bytes, bytes]]) -> Form | None:
    """An empty form for a request that announces one: only `/v1/files` keeps what it is sent."""
    for name, value in headers:
        if name == b"content-type":
            boundary = boundary_of(value) if value[:10].lower() == _MULTIPART else None
            if boundary is None:
                return None
            return Form(boundary, MAX_STORED_FILE if target.partition(b"?")[0] == FILES else GLIMPSE)
    return None
