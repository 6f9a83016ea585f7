"""What providers state of vectors, rankings, pictures and sounds, as they document it."""

from __future__ import annotations

from typing import Any

import pytest

from otari_daemon.domain.usage import Usage
from otari_daemon.wire import usage_plain
from otari_daemon.wire.usage_format import AbsurdUsage, UsageFormat

SPOKEN = {
    "type": "tokens",
    "input_tokens": 14,
    "input_token_details": {"text_tokens": 4, "audio_tokens": 10},
    "output_tokens": 101,
    "total_tokens": 115,
}
DRAWN = {
    "input_tokens": 50,
    "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
    "output_tokens": 4160,
    "total_tokens": 4210,
}


@pytest.mark.parametrize(
    ("format", "stated", "usage"),
    [
        (usage_plain.PROMPT, {"prompt_tokens": 5, "total_tokens": 5}, Usage(input=5, requests=1)),
        (usage_plain.PROMPT, {"total_tokens": 7}, Usage(input=7, requests=1)),
        (usage_plain.PROMPT, {"prompt_tokens": 7}, Usage(input=7, requests=1)),
        (
            usage_plain.PROMPT,
            {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
            Usage(input=5, output=2, requests=1),
        ),
        (usage_plain.RANKING, {"total_tokens": 9}, Usage(input=9, requests=1)),
        (usage_plain.RANKING, {"billed_units": {"search_units": 3}}, Usage(requests=3)),
        (usage_plain.RANKING, {"billed_units": {"search_units": 2.0}}, Usage(requests=2)),
        (usage_plain.PICTURES, DRAWN, Usage(input=10, image_input=40, image_output=4160, requests=1)),
        (
            usage_plain.PICTURES,
            {**DRAWN, "output_tokens_details": {"text_tokens": 160, "image_tokens": 4000}},
            Usage(input=10, image_input=40, output=160, image_output=4000, requests=1),
        ),
        (usage_plain.MEDIA, SPOKEN, Usage(input=4, audio_input=10, output=101, requests=1)),
        (usage_plain.MEDIA, {"type": "duration", "seconds": 9}, Usage(seconds=9, requests=1)),
        (usage_plain.MEDIA, {"type": "duration", "seconds": 9.01}, Usage(seconds=10, requests=1)),
    ],
)
def test_a_statement_is_read_into_classes_that_do_not_overlap(
    format: UsageFormat, stated: Any, usage: Usage
) -> None:
    assert format.read(stated) == usage


@pytest.mark.parametrize(
    ("format", "stated"),
    [
        (usage_plain.PROMPT, {}),
        (usage_plain.PROMPT, []),
        (usage_plain.PROMPT, {"prompt_tokens": 0, "total_tokens": 0}),
        (usage_plain.PROMPT, {"prompt_tokens": 5, "total_tokens": 10}),
        (usage_plain.PROMPT, {"prompt_tokens": 5, "total_tokens": 4}),
        (usage_plain.PROMPT, {"prompt_tokens": "5"}),
        (usage_plain.PROMPT, {"prompt_tokens": 1 << 40}),
        (usage_plain.RANKING, {"billed_units": {}}),
        (usage_plain.RANKING, {"total_tokens": 0}),
        (usage_plain.PICTURES, {**DRAWN, "output_tokens": 0, "total_tokens": 50}),
        (usage_plain.PICTURES, {**DRAWN, "total_tokens": 1}),
        (usage_plain.PICTURES, {**DRAWN, "input_tokens": 0}),
        (usage_plain.MEDIA, {**SPOKEN, "input_token_details": {"audio_tokens": 15}}),
        (usage_plain.MEDIA, {"type": "duration"}),
        (usage_plain.MEDIA, {"type": "duration", "seconds": 0}),
        (usage_plain.MEDIA, {"type": "duration", "seconds": True}),
        (usage_plain.MEDIA, {"type": "duration", "seconds": float("inf")}),
        (usage_plain.MEDIA, {"type": "duration", "seconds": float("nan")}),
    ],
)
def test_a_statement_that_cannot_be_true_is_refused(format: UsageFormat, stated: Any) -> None:
    with pytest.raises(AbsurdUsage):
        format.read(stated)
