"""Damaged files: each is refused whole, or means what is left of its text; there is no other error."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.config.document import BYTES_MAX
from otari_daemon.config.load import load, load_file
from otari_daemon.config.problems import ConfigError
from otari_daemon.config.schema import Config
from otari_daemon.config.views import shown

EXAMPLE = (Path(__file__).parents[2] / "config.example.yml").read_bytes()
LINES = EXAMPLE.splitlines(keepends=True)
KEY_LINES = [n for n, line in enumerate(LINES) if line.strip() and not line.lstrip().startswith(b"#")]

CHOSEN_NAMES = (b"small", b"local")
"""Keys of the example that could be anything: an alias, and the start of a priced model."""


def with_line(number: int, line: bytes) -> bytes:
    """Give the example with one line replaced."""
    return b"".join([*LINES[:number], line, *LINES[number + 1 :]])


def broken() -> Iterator[tuple[str, bytes]]:
    """Give files that nobody can have meant, by name."""
    for number in KEY_LINES:
        line = LINES[number]
        indent = line[: len(line) - len(line.lstrip())]
        key, _, value = line.partition(b":")
        if key.strip() not in CHOSEN_NAMES:
            yield f"{number + 1}-misspelled", with_line(number, key + b"_zq:" + value)
        yield f"{number + 1}-tab", with_line(number, b"\t" + line)
        yield f"{number + 1}-tagged", with_line(number, key + b": !!python/name:os.system" + value)
        yield f"{number + 1}-not-utf-8", with_line(number, indent + b"# \xff\n" + line)
        yield f"{number + 1}-list-of-lists", with_line(number, key + b": [[[]]]\n")
    for number in KEY_LINES:
        yield f"{number + 1}-unclosed", EXAMPLE[: sum(map(len, LINES[:number]))] + b'x: "\n'
    yield "no-key", b'"": 1\n'
    yield "no-provider-key", b'providers: {openai: {"": 1}}\n'
    yield "no-such-character", b'host: "\\U00110000"\n'
    yield "twice", EXAMPLE + b"port: 8000\n"
    yield "null-byte", EXAMPLE + b"\x00"
    yield "utf-16", EXAMPLE.decode().encode("utf-16")
    yield "anchor-bomb", b"a: &a [x]\nb: [" + b"*a, " * 101 + b"]\n"
    yield "ten-mebibytes", EXAMPLE + b"#" * (10 << 20)
    yield "no-bytes", b""
    yield "deep", b"port: " + b"[" * 10_000
    yield "long-number", b"port: " + b"9" * 100_000


BROKEN = list(broken())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name a file that only its owner can read."""
    path = tmp_path / "config.yml"
    path.touch(mode=0o600)
    return path


def outcome(path: Path, content: bytes) -> Config | None:
    """Load content from disk, `None` if it is refused; any other error goes through."""
    path.write_bytes(content)
    try:
        return load_file(path, environ={})
    except ConfigError:
        return None


def test_there_are_three_hundred_damaged_files_and_the_example_is_not_one(file: Path) -> None:
    assert len(BROKEN) + len(range(0, len(EXAMPLE), 64)) > 300
    assert outcome(file, EXAMPLE) is not None


@pytest.mark.parametrize("content", [pytest.param(content, id=name) for name, content in BROKEN])
def test_a_broken_file_is_refused(file: Path, content: bytes) -> None:
    assert outcome(file, content) is None


@pytest.mark.parametrize("size", range(0, len(EXAMPLE), 64))
def test_a_file_cut_short_is_refused_or_says_what_is_left_of_it(file: Path, size: int) -> None:
    left = EXAMPLE[:size]

    config = outcome(file, left)

    if config is None:
        return
    written_anew = yaml.serialize(yaml.compose(left, Loader=yaml.SafeLoader), encoding="utf-8")
    assert config == outcome(file, written_anew)
    defaults, values = shown(Config()), shown(config)
    unsaid = defaults.keys() - yaml.load(left, Loader=yaml.BaseLoader).keys()
    assert {key: values[key] for key in unsaid} == {key: defaults[key] for key in unsaid}


scraps = st.sampled_from(
    [*"\n :{}[]&*!|>'\"\\#-?,$%@`\t\u2028\ufeff", "  ", "${", "---", "<<", "\\U00110000"]
)
words = st.sampled_from(["port", "host", "providers", "openai", "type", "pricing", "a:b", "a", "1", "true"])


@given(st.lists(scraps | words, max_size=30).map("".join))
def test_scraps_of_yaml_load_or_are_refused_and_raise_nothing_else(text: str) -> None:
    with contextlib.suppress(ConfigError):
        assert load(text, source="scraps", environ={"a": "b"}).digest


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    for path, words in [
        (tmp_path / "none.yml", "none.yml cannot be read: no such file or directory"),
        (tmp_path, "cannot be read: is a directory"),
        (fifo, "is not a regular file"),
    ]:
        with pytest.raises(ConfigError, match=words):
            load_file(path, environ={})


def test_a_byte_that_is_not_utf_8_is_found_at_its_place(file: Path) -> None:
    file.write_bytes(b"port: 1\nhost: \xe9\n")

    with pytest.raises(ConfigError) as caught:
        load_file(file, environ={})

    assert (caught.value.problems[0].line, caught.value.problems[0].column) == (2, 7)


def test_the_largest_file_is_read_and_one_byte_more_is_refused(file: Path) -> None:
    text = b"port: 1\n#"

    assert outcome(file, text.ljust(BYTES_MAX, b"x")) is not None
    assert outcome(file, text.ljust(BYTES_MAX + 1, b"x")) is None
