"""Faults that answer well and lie about the usage, or do not tell it."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import msgspec

from otari_daemon.mock.answer import Usage
from otari_daemon.mock.deliver import answer_streamed, answer_whole, tell_streamed, tell_whole
from otari_daemon.mock.exchange import Exchange
from otari_daemon.mock.faults.table import Fault
from otari_daemon.mock.shapes import Chunks, Event, events, usage_json

HUGE = 9_000_000_000_000_000_000

Lie = Callable[[Usage], bytes | None]


def _told(prompt: object, completion: object, total: object, cached: int = 0, thought: int = 0) -> bytes:
    return msgspec.json.encode(
        {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": total,
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens_details": {"reasoning_tokens": thought},
        }
    )


def _string(u: Usage) -> bytes:
    total = u.prompt_tokens + u.completion_tokens
    return _told(str(u.prompt_tokens), str(u.completion_tokens), str(total))


def _mismatch(u: Usage) -> bytes:
    return _told(u.prompt_tokens, u.completion_tokens, 2 * (u.prompt_tokens + u.completion_tokens))


def _cached_gt_prompt(u: Usage) -> bytes:
    total = u.prompt_tokens + u.completion_tokens
    return _told(u.prompt_tokens, u.completion_tokens, total, cached=u.prompt_tokens + 1_000)


def _cached_negative(u: Usage) -> bytes:
    return _told(u.prompt_tokens, u.completion_tokens, u.prompt_tokens + u.completion_tokens, cached=-1_000)


def _cached_beside(u: Usage) -> bytes:
    """Half the prompt as cached and not in `prompt_tokens`: the other convention, in this one's fields."""
    cached = u.prompt_tokens // 2
    total = u.prompt_tokens + u.completion_tokens
    return _told(u.prompt_tokens - cached, u.completion_tokens, total, cached=cached)


def _reasoning_beside(u: Usage) -> bytes:
    """Half the completion as reasoning and not in `completion_tokens`, as some providers count."""
    thought = u.completion_tokens // 2
    total = u.prompt_tokens + u.completion_tokens
    return _told(u.prompt_tokens, u.completion_tokens - thought, total, thought=thought)


async def _lie(x: Exchange, _: int, *, lie: Lie) -> None:
    """Report what `lie` makes of the truth, where the truth would stand."""
    usage = lie(x.answer.usage)
    if x.terms.streamed:
        shown = usage if x.terms.usage_wanted else None
        each = b"null" if shown is not None else None
        await tell_streamed(x, events(x.answer, shown, each))
    else:
        tell_whole(x, usage)


async def honest(x: Exchange, _: int) -> None:
    """No fault at all: the answer as any model gives it."""
    if x.terms.streamed:
        await answer_streamed(x)
    else:
        answer_whole(x)


async def _rearranged(
    x: Exchange, _: int, *, events_of: Callable[[Exchange, bytes], Iterable[Event]]
) -> None:
    """Tell the true usage, but elsewhere in the stream; asked for or not."""
    if x.terms.streamed:
        await tell_streamed(x, events_of(x, usage_json(x.answer.usage)))
    else:
        answer_whole(x)


def _first(x: Exchange, usage: bytes) -> Iterator[Event]:
    yield Event(Chunks(x.answer, b"null").usage(usage), 0)
    yield from events(x.answer, None, b"null")


def _each(x: Exchange, usage: bytes) -> Iterator[Event]:
    return events(x.answer, usage, each=usage)


def _twice(x: Exchange, usage: bytes) -> Iterator[Event]:
    yield from events(x.answer, usage, b"null")
    yield Event(Chunks(x.answer, b"null").usage(usage), 0)


_LIES: dict[str, Lie] = {
    "ok_nousage": lambda _: None,
    "stream_nousage": lambda _: None,
    "usage_zero": lambda _: _told(0, 0, 0),
    "usage_null": lambda _: b"null",
    "usage_negative": lambda u: _told(u.prompt_tokens, -5, u.prompt_tokens - 5),
    "usage_huge": lambda u: _told(u.prompt_tokens, HUGE, HUGE),
    "usage_string": _string,
    "usage_mismatch": _mismatch,
    "cached_gt_prompt": _cached_gt_prompt,
    "cached_negative": _cached_negative,
    "cached_beside": _cached_beside,
    "reasoning_beside": _reasoning_beside,
}
_PLACES = {"usage_first": _first, "usage_each": _each, "usage_twice": _twice}

FAULTS = (
    {"stream_ok": Fault(honest, end="finished")}
    | {name: Fault(partial(_lie, lie=lie), end="finished") for name, lie in _LIES.items()}
    | {name: Fault(partial(_rearranged, events_of=place), end="finished") for name, place in _PLACES.items()}
)
