"""GET /v1/models and /v1/models/{name}."""

from otari_daemon.mock.frames import Request
from otari_daemon.mock.models import MODEL_IDS, read_model
from otari_daemon.mock.refusal import Refused
from otari_daemon.mock.resources.reply import Reply, encode


class Models:
    """The names that are listed; others, with arguments, are found too."""

    def answer(self, request: Request, rest: list[str]) -> Reply:
        """The list, or one model."""
        name = "/".join(rest)
        if name:
            read_model(name)
        if request.method != b"GET":
            raise Refused(405, "models are read with GET")
        if name:
            return Reply(encode(_model(name)))
        return Reply(encode({"object": "list", "data": [_model(each) for each in MODEL_IDS]}))


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "mock"}
