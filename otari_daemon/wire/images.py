"""OpenAI pictures: `POST /v1/images/generations`. Priced by the picture, or by its tokens."""

from __future__ import annotations

import msgspec

from otari_daemon.domain.errors import InvalidRequest
from otari_daemon.domain.intent import Intent, input_bound, presumed_tokens
from otari_daemon.domain.usage import Usage
from otari_daemon.wire.dialect import Body, Wire
from otari_daemon.wire.fields import flag, model_of, positive, refuse_steering
from otari_daemon.wire.plain import OpenAIErrors, PlainWire, Told

IMAGES_MAX = 16

TOKENS_PER_IMAGE_MAX = 16_384
"""More than the largest picture in the best quality has at any provider known to us."""

TOKENS_PER_IMAGE = 1056
"""For counting what nobody else has counted: a square one in medium quality, as OpenAI counts."""

_pictures = msgspec.json.Decoder(list[msgspec.Raw])


class ImagesWire(PlainWire):
    """An answer's pictures are counted by looking at it."""

    def pieces(self, told: Told, intent: Intent) -> Usage:
        """As many pictures as came; as many as were asked for where that cannot be told."""
        try:
            return Usage(images=len(_pictures.decode(told.data)), requests=1)
        except msgspec.DecodeError:
            return intent.presumed

    def generated(self, told: Told, intent: Intent) -> int:
        """Tokens of the pictures that came."""
        return self.pieces(told, intent).images * TOKENS_PER_IMAGE


class ImagesDialect(OpenAIErrors):
    """Pictures from a text. They are answered whole, as addresses or as base64."""

    endpoint = "/v1/images/generations"
    wires: tuple[Wire, ...] = (ImagesWire("images", "/images/generations"),)

    def read_intent(self, body: Body, body_bytes: int) -> Intent:
        """A prompt, and so many pictures."""
        refuse_steering(body)
        model = model_of(body)
        if not isinstance(body.get("prompt"), str) or not body["prompt"]:
            raise InvalidRequest("prompt is required, a text", param="prompt")
        if flag(body, "stream"):
            raise InvalidRequest("pictures are answered whole; leave stream out", param="stream")
        images = positive(body, "n", IMAGES_MAX) or 1
        pieces = Usage(images=images, requests=1)
        return Intent(
            model=model,
            stream=False,
            input_max=input_bound(body_bytes, 1, 0),
            prompt_presumed=presumed_tokens(len(body["prompt"].encode(errors="replace"))),
            output_max=TOKENS_PER_IMAGE_MAX,
            choices=images,
            pieces=pieces,
            presumed=pieces,
            reach=frozenset({"images"}),
        )
