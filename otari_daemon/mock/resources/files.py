"""/v1/files: upload, list, get, content, delete."""

from collections.abc import Callable

from otari_daemon.mock.endpoints.endpoint import read_field, read_form
from otari_daemon.mock.frames import Request
from otari_daemon.mock.refusal import Refused
from otari_daemon.mock.resources.reply import Reply, encode, listing
from otari_daemon.mock.resources.shelf import File, Shelf
from otari_daemon.mock.uploads import MAX_STORED_FILE

BINARY = b"application/octet-stream"


class Files:
    """The shelf, seen from outside. `now_s` and `next_number` date and name what is put there."""

    def __init__(self, shelf: Shelf, now_s: Callable[[], float], next_number: Callable[[], int]) -> None:
        self._shelf = shelf
        self._now_s = now_s
        self._next_number = next_number

    def answer(self, request: Request, rest: list[str]) -> Reply:
        """Dispatch on the method and what follows the path."""
        match request.method, rest:
            case b"POST", []:
                return self._upload(request)
            case b"GET", []:
                return listing([file_object(file) for file in self._shelf.files()])
            case b"GET", [file_id]:
                return Reply(encode(file_object(self._find(file_id))))
            case b"GET", [file_id, "content"]:
                return Reply(self._find(file_id).content, BINARY)
            case b"DELETE", [file_id]:
                self._shelf.drop(self._find(file_id).file_id)
                return Reply(encode({"id": file_id, "object": "file", "deleted": True}))
        raise Refused(405, "files are created with POST, read with GET and deleted with DELETE")

    def _upload(self, request: Request) -> Reply:
        form = read_form(request)
        sent = form.files("file")
        if not sent:
            raise Refused(400, "the form has no file 'file'")
        if sent[0].size > MAX_STORED_FILE:
            raise Refused(413, f"the file is larger than {MAX_STORED_FILE} bytes", "request_too_large")
        file = File(
            file_id=f"file-mock-{self._next_number()}",
            name=sent[0].filename or "",
            purpose=read_field(form, "purpose"),
            created=int(self._now_s()),
            content=bytes(sent[0].kept),
        )
        self._shelf.put(file)
        return Reply(encode(file_object(file)))

    def _find(self, file_id: str) -> File:
        file = self._shelf.find(file_id)
        if file is None:
            raise Refused(404, f"there is no file {file_id!r}")
        return file


def file_object(file: File) -> dict[str, object]:
    """`file` as OpenAI describes one."""
    return {
        "id": file.file_id,
        "object": "file",
        "bytes": len(file.content),
        "created_at": file.created,
        "filename": file.name,
        "purpose": file.purpose,
        "status": "processed",
    }
