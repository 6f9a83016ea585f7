"""The mock's models: a name with its arguments, read into what to do."""

from dataclasses import dataclass
from functools import lru_cache

from otari_daemon.mock.ask import MAX_OUTPUT_TOKENS
from otari_daemon.mock.refusal import Refused

MAX_WAIT_MS = 240_000  # below the server's patience
MAX_NAME = 200

MODEL_IDS = ("echo", "lorem", "slow", "drip", "cached", "reasoning", "tokens")


@dataclass(frozen=True, slots=True)
class Model:
    """What a model name asks for: the text (`lorem` tokens, or None to echo), its pace, its usage.

    `by_tokens` counts tokens at the endpoints that would count something else.
    """

    lorem: int | None = None
    first_ms: int = 0
    gap_ms: int | None = None  # None: as fast as the client reads
    cached: int = 0
    reasoning: int = 0
    by_tokens: bool = False
    fault: tuple[str, ...] | None = None


@lru_cache(maxsize=1024)
def read_model(name: str) -> Model:
    """The model called `name`; `Refused` with 404 if there is none, 400 if an argument is bad."""
    kind, *args = name[:MAX_NAME].split(":")
    match kind:
        case "echo":
            _numbers(name, args)
            return Model()
        case "lorem":
            (tokens,) = _numbers(name, args, (32, MAX_OUTPUT_TOKENS))
            return Model(lorem=tokens)
        case "slow":
            (wait_ms,) = _numbers(name, args, (1_000, MAX_WAIT_MS))
            return Model(first_ms=wait_ms)
        case "drip":
            tokens, gap_ms = _numbers(name, args, (32, MAX_OUTPUT_TOKENS), (50, MAX_WAIT_MS))
            return Model(lorem=tokens, gap_ms=gap_ms)
        case "cached":
            (tokens,) = _numbers(name, args, (8, MAX_OUTPUT_TOKENS))
            return Model(cached=tokens)
        case "reasoning":
            (tokens,) = _numbers(name, args, (16, MAX_OUTPUT_TOKENS))
            return Model(reasoning=tokens)
        case "tokens":
            _numbers(name, args)
            return Model(by_tokens=True)
        case "fault" if args:
            return Model(fault=tuple(args))
    raise Refused(404, f"the model {name[:MAX_NAME]!r} does not exist", "model_not_found")


def _numbers(name: str, args: list[str], *fields: tuple[int, int]) -> list[int]:
    """One number per field, from `args` or its default; each field is (default, most)."""
    if len(args) > len(fields):
        raise Refused(400, f"{name!r} has too many arguments")
    given = [read_number(name, arg, most) for arg, (_, most) in zip(args, fields, strict=False)]
    return given + [default for default, _ in fields[len(given) :]]


def read_number(name: str, arg: str, most: int) -> int:
    """`arg` as a number of at most `most`; `Refused` (400), naming the model, if it is not one."""
    if not (arg.isascii() and arg.isdigit() and len(arg) <= 12 and int(arg) <= most):
        raise Refused(400, f"{name!r} wants a whole number up to {most}, not {arg!r}")
    return int(arg)
