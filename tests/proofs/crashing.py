"""A daemon that dies at a point: `OTARI_CRASH_AT=book.reserve.leave:3 python -m tests.proofs.crashing ...`.

Takes the daemon's arguments. The process ends with 137 and nothing flushed, at the third passing.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

from tests.proofs.points import POINTS, Point

ENVIRONMENT = "OTARI_CRASH_AT"
KILLED = 137

Pass = Callable[[], None]
Function = Callable[..., Any]


class Countdown:
    """Ends the process at the k-th call; from any thread."""

    def __init__(self, passing: int) -> None:
        self._left = passing
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os._exit(KILLED)


def install(point: Point, passed: Pass) -> None:
    """Put a point into the function it names, in this process only."""
    owner: Any = importlib.import_module(point.place.module)
    *classes, name = point.place.function.split(".")
    for each in classes:
        owner = getattr(owner, each)
    setattr(owner, name, _wrapped(getattr(owner, name), point, passed))


def _wrapped(function: Function, point: Point, passed: Pass) -> Function:
    if inspect.iscoroutinefunction(function):
        return _wrapped_coroutine(function, point, passed)
    if inspect.isgeneratorfunction(inspect.unwrap(function)):
        return _wrapped_context(function, point, passed)

    @functools.wraps(function)
    def either(*args: Any, **kwargs: Any) -> Any:
        if point.when == "enter":
            passed()
            return function(*args, **kwargs)
        result = function(*args, **kwargs)
        passed()
        return result

    return either


def _wrapped_coroutine(function: Function, point: Point, passed: Pass) -> Function:
    @functools.wraps(function)
    async def either(*args: Any, **kwargs: Any) -> Any:
        if point.when == "enter":
            passed()
            return await function(*args, **kwargs)
        result = await function(*args, **kwargs)
        passed()
        return result

    return either


def _wrapped_context(function: Function, point: Point, passed: Pass) -> Function:
    """Before a transaction's COMMIT, and after it."""

    @contextlib.contextmanager
    @functools.wraps(function)
    def either(*args: Any, **kwargs: Any) -> Iterator[Any]:
        with function(*args, **kwargs) as value:
            yield value
            if point.when == "enter":
                passed()
        if point.when == "leave":
            passed()

    return either


def main() -> None:
    """Install the point the environment names, and be a daemon."""
    name, _, passing = os.environ.pop(ENVIRONMENT).rpartition(":")
    install(POINTS[name], Countdown(int(passing)))
    from otari_daemon.main import main as daemon_main

    daemon_main()


if __name__ == "__main__":
    main()
