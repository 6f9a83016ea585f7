"""What is wrong with a configuration: every problem, with its place, in one error."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

PROBLEMS_MAX = 20
"""How many problems one error reports; the rest is counted."""

NAME_SHOWN_MAX = 40
_NAME = re.compile(r"[A-Za-z0-9_.<-]*")


class Mark(NamedTuple):
    """A place in the source, both counted from one; zero means it has no place there."""

    line: int
    column: int


NOWHERE = Mark(0, 0)

Path = tuple[str, ...]
"""The keys that lead to a value."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right. The message stands alone; the hint, if any, is the way out."""

    line: int
    column: int
    path: str
    message: str
    hint: str = ""

    def text(self, source: str) -> str:
        """Format as compilers do: `config.yml:14:3: message, hint`; without a place where it has none."""
        place = f"{source}:{self.line}:{self.column}: " if self.line else ""
        return place + self.message + (f", {self.hint}" if self.hint else "")


class ConfigError(Exception):
    """A configuration that cannot be used: what and where of every problem, and never a value."""

    def __init__(self, source: str, problems: tuple[Problem, ...], uncounted: int = 0) -> None:
        self.source = source
        self.problems = problems
        lines = [problem.text(source) for problem in problems]
        if uncounted:
            lines.append(f"{source}: and {uncounted} more")
        super().__init__("\n".join(lines))


class Problems:
    """Gathers up to `PROBLEMS_MAX` problems of one source."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._found: list[Problem] = []
        self._uncounted = 0

    def add(self, mark: Mark, path: Path, message: str, hint: str = "") -> None:
        """Note a problem and go on."""
        if len(self._found) == PROBLEMS_MAX:
            self._uncounted += 1
            return
        self._found.append(Problem(mark.line, mark.column, dotted(path), message, hint))

    def stop(self, mark: Mark, path: Path, message: str, hint: str = "") -> NoReturn:
        """Note a problem after which nothing can be read, and raise all of them."""
        self.add(mark, path, message, hint)
        raise self._error()

    def raise_any(self) -> None:
        """Raise `ConfigError` if there was any problem, in the order of the source."""
        if self._found:
            raise self._error()

    def _error(self) -> ConfigError:
        ordered = sorted(self._found, key=lambda problem: (problem.line, problem.column))
        return ConfigError(self._source, tuple(ordered), self._uncounted)


def dotted(path: Path) -> str:
    """Join a path with dots; its keys are known ones, or went through `shown_name`."""
    return ".".join(path)


def shown_name(key: str) -> str:
    """Give the part of a key that is surely a name: `api_key:sk-1` is a typing slip, not a key."""
    match = _NAME.match(key[:NAME_SHOWN_MAX])
    name = match[0] if match else ""
    return name if name == key else name + "…"


def nearest(word: str, known: Iterable[str]) -> str:
    """Phrase the closest known word as a question, or nothing."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f'did you mean "{close[0]}"?' if close else ""
