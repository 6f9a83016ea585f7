"""Usage of what is no conversation: vectors and rankings have a prompt alone, media state what it is of."""

from __future__ import annotations

import math
from typing import Any

from otari_daemon.domain.usage import UNITS_MAX, Usage
from otari_daemon.wire import usage_cohere
from otari_daemon.wire.usage_format import AbsurdUsage, UsageFormat, count, rest, section


def read_prompt(stated: Any) -> Usage:
    """Usage that is a prompt, or only a total; a completion beside it has no tokens. Raises AbsurdUsage."""
    total = count(stated, "total_tokens", -1)
    prompt = count(stated, "prompt_tokens", total)
    if prompt <= 0 or total not in (-1, prompt + count(stated, "completion_tokens", 0)):
        raise AbsurdUsage
    return Usage(input=prompt, output=count(stated, "completion_tokens", 0), requests=1)


def read_ranking(stated: Any) -> Usage:
    """Billed units as Cohere states them, or a prompt. Raises AbsurdUsage."""
    if isinstance(stated, dict) and "billed_units" in stated:
        return usage_cohere.normalize(stated)
    return read_prompt(stated)


def read_media(stated: Any) -> Usage:
    """Tokens by what they are of, text where nothing says more; or seconds of sound. Raises AbsurdUsage."""
    if isinstance(stated, dict) and stated.get("type") == "duration":
        return Usage(requests=1, seconds=seconds_of(stated.get("seconds")))
    # OpenAI writes `input_token_details` for sounds and `input_tokens_details` for pictures
    read = section(stated, "input_tokens_details") or section(stated, "input_token_details")
    wrote = section(stated, "output_tokens_details") or section(stated, "output_token_details")
    given, made = count(stated, "input_tokens"), count(stated, "output_tokens")
    if not given or count(stated, "total_tokens", given + made) != given + made:
        raise AbsurdUsage
    cached = count(read, "cached_tokens", 0)
    seen, heard = count(read, "image_tokens", 0), count(read, "audio_tokens", 0)
    drawn, spoken = count(wrote, "image_tokens", 0), count(wrote, "audio_tokens", 0)
    return Usage(
        input=rest(given, cached, seen, heard),
        cache_read=cached,
        image_input=seen,
        audio_input=heard,
        output=rest(made, drawn, spoken),
        image_output=drawn,
        audio_output=spoken,
        requests=1,
    )


def read_pictures(stated: Any) -> Usage:
    """Tokens of pictures; all output is theirs where nothing says more. Raises AbsurdUsage."""
    usage = read_media(stated)
    if not usage.output_tokens:
        raise AbsurdUsage
    if section(stated, "output_tokens_details"):
        return usage
    return usage._replace(output=0, image_output=usage.output)


def seconds_of(duration: Any) -> int:
    """Whole seconds, begun ones counted. Raises AbsurdUsage for what is no positive duration."""
    if isinstance(duration, bool) or not isinstance(duration, int | float) or not 0 < duration <= UNITS_MAX:
        raise AbsurdUsage
    return math.ceil(duration)


PROMPT = UsageFormat(read_prompt)
RANKING = UsageFormat(read_ranking, (("usage",), ("meta",)))
PICTURES = UsageFormat(read_pictures)
MEDIA = UsageFormat(read_media)
