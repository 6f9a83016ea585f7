"""OpenAI pictures made of others: `POST /v1/images/edits`, a form."""

from __future__ import annotations

from otari_daemon.domain.errors import InvalidRequest
from otari_daemon.domain.intent import Intent, input_bound, presumed_tokens
from otari_daemon.domain.usage import Usage
from otari_daemon.wire.dialect import Body, Wire
from otari_daemon.wire.fields import model_of, refuse_steering
from otari_daemon.wire.images import IMAGES_MAX, TOKENS_PER_IMAGE_MAX, ImagesWire
from otari_daemon.wire.plain import OpenAIErrors
from otari_daemon.wire.uploads import MIB, files_of, number, truth

PICTURES_SENT_MAX = 16


class ImageEditsDialect(OpenAIErrors):
    """A prompt, pictures, perhaps a mask."""

    endpoint = "/v1/images/edits"
    files_bytes_max = 50 * MIB
    wires: tuple[Wire, ...] = (ImagesWire("image_edits", "/images/edits"),)

    def read_intent(self, body: Body, body_bytes: int) -> Intent:
        """Pictures read as tokens, and so many made."""
        refuse_steering(body)
        model = model_of(body)
        sent = len(files_of(body, "image", "image[]"))
        if not body.get("prompt"):
            raise InvalidRequest("prompt is required", param="prompt")
        if sent > PICTURES_SENT_MAX:
            raise InvalidRequest(f"the form has more than {PICTURES_SENT_MAX} pictures", param="image")
        if truth(body, "stream"):
            raise InvalidRequest("pictures are answered whole; leave stream out", param="stream")
        pieces = Usage(images=number(body, "n", IMAGES_MAX), requests=1)
        return Intent(
            model=model,
            stream=False,
            input_max=input_bound(body_bytes, 1, 0) + (sent + 1) * TOKENS_PER_IMAGE_MAX,
            prompt_presumed=presumed_tokens(body_bytes),
            output_max=TOKENS_PER_IMAGE_MAX,
            choices=pieces.images,
            pieces=pieces,
            presumed=pieces,
            reach=frozenset({"image_edits"}),
        )
