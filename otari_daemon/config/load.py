"""Text, environment and options to a `Config`; `read_file` is the only part that touches a disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, NoReturn

from otari_daemon.config.bind import OMIT, Binder
from otari_daemon.config.document import BYTES_MAX, Block, parse
from otari_daemon.config.environment import Overrides
from otari_daemon.config.problems import NOWHERE, ConfigError, Mark, Problem, Problems
from otari_daemon.config.references import complete
from otari_daemon.config.schema import Config

NO_FILE = "environment"
"""The source named in problems when there is no file."""

_NONE: Overrides = MappingProxyType({})


class SourceText(NamedTuple):
    """A file as read: its text, and whether others than owner and group can open it."""

    text: str
    exposed: bool


def load(
    text: str | None,
    *,
    source: str,
    environ: Mapping[str, str],
    overrides: Overrides = _NONE,
    exposed: bool = False,
) -> Config:
    """Build the configuration: `overrides` over `OTARI_` variables over `text` over defaults.

    Raises `ConfigError` with all problems; `exposed` makes a secret written out in `text` one of them.
    """
    problems = Problems(source)
    block = Block(NOWHERE) if text is None else parse(text, problems)
    binder = Binder(problems, environ, overrides, exposed=exposed)
    config = binder.root(Config, block)
    if config is not OMIT:
        config = complete(config, binder)
    problems.raise_any()
    assert isinstance(config, Config), "a configuration without problems is whole"
    return config


def load_file(path: Path | None, *, environ: Mapping[str, str], overrides: Overrides = _NONE) -> Config:
    """Read and load one file, or the defaults where `path` is `None`; raises `ConfigError`."""
    if path is None:
        return load(None, source=NO_FILE, environ=environ, overrides=overrides)
    text, exposed = read_file(path)
    return load(text, source=str(path), environ=environ, overrides=overrides, exposed=exposed)


def read_file(path: Path) -> SourceText:
    """Read a regular file of at most `BYTES_MAX` bytes of UTF-8; raises `ConfigError`."""
    try:
        content, mode = _read(path)
    except OSError as error:
        _refuse(path, f"{path} cannot be read: {os.strerror(error.errno or 0).lower()}")
    if not stat.S_ISREG(mode):
        _refuse(path, f"{path} is not a regular file")
    if len(content) > BYTES_MAX:
        _refuse(path, f"{path} is larger than {BYTES_MAX} bytes")
    try:
        return SourceText(content.decode("utf-8"), bool(mode & 0o007))
    except UnicodeDecodeError as error:
        line_start = content.rfind(b"\n", 0, error.start)
        mark = Mark(content.count(b"\n", 0, error.start) + 1, error.start - line_start)
        _refuse(path, "the file is not UTF-8", mark)


def _read(path: Path) -> tuple[bytes, int]:
    """Read content and mode of the same open file, so that nothing can be swapped in between."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        return (file.read(BYTES_MAX + 1) if stat.S_ISREG(mode) else b""), mode


def _refuse(path: Path, message: str, mark: Mark = NOWHERE) -> NoReturn:
    raise ConfigError(str(path), (Problem(mark.line, mark.column, "", message),)) from None
