"""Faults that answer well and lie about the usage, or do not tell it."""

from collections.abc import Callable
from functools import partial
from itertools import chain

from otari_daemon.mock.answer import Usage
from otari_daemon.mock.deliver import answer_streamed, answer_whole, tell_streamed, tell_whole
from otari_daemon.mock.exchange import Exchange
from otari_daemon.mock.faults.table import Fault
from otari_daemon.mock.wires.wire import Event, Stated, Told

HUGE = 9_000_000_000_000_000_000

Lie = Callable[[Usage], Stated | bytes | None]
"""What is claimed in place of the truth: counts, JSON as it stands, or nothing."""


def _string(u: Usage) -> Stated:
    total = u.prompt_tokens + u.completion_tokens
    return Stated(str(u.prompt_tokens), str(u.completion_tokens), str(total))


def _mismatch(u: Usage) -> Stated:
    return Stated(u.prompt_tokens, u.completion_tokens, 2 * (u.prompt_tokens + u.completion_tokens))


def _cached_gt_prompt(u: Usage) -> Stated:
    total = u.prompt_tokens + u.completion_tokens
    return Stated(u.prompt_tokens, u.completion_tokens, total, cached=u.prompt_tokens + 1_000)


def _cached_negative(u: Usage) -> Stated:
    total = u.prompt_tokens + u.completion_tokens
    return Stated(u.prompt_tokens, u.completion_tokens, total, cached=-1_000)


def _cached_beside(u: Usage) -> Stated:
    """Half the prompt as cached and not in its tokens: the other convention, in this one's fields."""
    cached = u.prompt_tokens // 2
    total = u.prompt_tokens + u.completion_tokens
    return Stated(u.prompt_tokens - cached, u.completion_tokens, total, cached=cached)


def _reasoning_beside(u: Usage) -> Stated:
    """Half the completion as reasoning and not in its tokens, as some providers count."""
    thought = u.completion_tokens // 2
    total = u.prompt_tokens + u.completion_tokens
    return Stated(u.prompt_tokens, u.completion_tokens - thought, total, thought=thought)


def _says(x: Exchange, lie: Lie) -> bytes | None:
    said = lie(x.answer.usage)
    return x.wire.state(said) if isinstance(said, Stated) else said


async def _lie(x: Exchange, _: int, *, lie: Lie) -> None:
    """Report what `lie` makes of the truth, where the truth would stand."""
    usage = _says(x, lie)
    if x.terms.streamed:
        await tell_streamed(x, x.wire.tell(usage if x.terms.usage_wanted else None))
    else:
        tell_whole(x, usage)


async def honest(x: Exchange, _: int) -> None:
    """No fault at all: the answer as any model gives it."""
    if x.terms.streamed:
        await answer_streamed(x)
    else:
        answer_whole(x)


async def _rearranged(x: Exchange, _: int, *, place: Callable[[Exchange, bytes], Told]) -> None:
    """Tell the true usage, but elsewhere in the stream; asked for or not."""
    usage = x.wire.usage()
    if x.terms.streamed and usage is not None:
        await tell_streamed(x, place(x, usage))
    else:
        await honest(x, 0)


def _first(x: Exchange, usage: bytes) -> Told:
    events, end = x.wire.tell(None, b"null")
    return Told(chain([Event(x.wire.usage_event(usage), 0)], events), end)


def _each(x: Exchange, usage: bytes) -> Told:
    return x.wire.tell(usage, each=usage)


def _twice(x: Exchange, usage: bytes) -> Told:
    events, end = x.wire.tell(usage)
    return Told(chain(events, [Event(x.wire.usage_event(usage), 0)]), end)


_LIES: dict[str, Lie] = {
    "ok_nousage": lambda _: None,
    "stream_nousage": lambda _: None,
    "usage_zero": lambda _: Stated(0, 0, 0),
    "usage_null": lambda _: b"null",
    "usage_negative": lambda u: Stated(u.prompt_tokens, -5, u.prompt_tokens - 5),
    "usage_huge": lambda u: Stated(u.prompt_tokens, HUGE, HUGE),
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
    | {name: Fault(partial(_rearranged, place=place), end="finished") for name, place in _PLACES.items()}
)
