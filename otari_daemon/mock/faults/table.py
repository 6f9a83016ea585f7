"""What a fault is: a row of a table."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from otari_daemon.mock.bill import End
from otari_daemon.mock.exchange import Exchange
from otari_daemon.mock.frames import Request

Play = Callable[[Exchange, int], Coroutine[None, None, None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail: `play` writes it, given the number after the name or else `default`.

    A fault without `default` takes no number. `lorem` is how many tokens it says instead of an
    echo, and `says` the text, if it is made from the request. `end` and `executes` are as in
    `exchange.Terms`.
    """

    play: Play
    default: int | None = None
    lorem: int | None = None
    says: Callable[[Request], str] | None = None
    end: End = "fault"
    executes: bool = True
