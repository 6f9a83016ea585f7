"""YAML to a tree with places: what is read as what, and what is refused where."""

from __future__ import annotations

import pytest
import yaml

from otari_daemon.config.document import (
    ALIASES_MAX,
    BYTES_MAX,
    DEPTH_MAX,
    NODES_MAX,
    Block,
    Items,
    Kind,
    Scalar,
    parse,
    parser_words,
)
from otari_daemon.config.problems import PROBLEMS_MAX, ConfigError, Mark, Problems


def read(text: str) -> Block:
    """Parse, raising what was gathered too."""
    problems = Problems("t.yml")
    block = parse(text, problems)
    problems.raise_any()
    return block


def refusal(text: str) -> tuple[int, int, str]:
    """Give place and message of the first problem of a text that must be refused."""
    with pytest.raises(ConfigError) as caught:
        read(text)
    first = caught.value.problems[0]
    return first.line, first.column, first.message


@pytest.mark.parametrize(
    ("written", "kind", "text"),
    [
        ("NO", Kind.TEXT, "NO"),
        ("yes", Kind.TEXT, "yes"),
        ("off", Kind.TEXT, "off"),
        ("12:30", Kind.TEXT, "12:30"),
        ("1_000", Kind.TEXT, "1_000"),
        ("0x1F", Kind.TEXT, "0x1F"),
        ("2026-01-31", Kind.TEXT, "2026-01-31"),
        ("=", Kind.TEXT, "="),
        ("true", Kind.BOOL, "true"),
        ("False", Kind.BOOL, "False"),
        ("'true'", Kind.TEXT, "true"),
        ("0.10", Kind.NUMBER, "0.10"),
        ("1e3", Kind.NUMBER, "1e3"),
        ("010", Kind.NUMBER, "010"),
        ("'8'", Kind.TEXT, "8"),
        ("٣", Kind.TEXT, "٣"),
        ("", Kind.NULL, ""),
        ("~", Kind.NULL, "~"),
        ("''", Kind.TEXT, ""),
        ("|\n  a\n  b", Kind.TEXT, "a\nb"),
    ],
)
def test_a_scalar_keeps_its_source_text_and_has_a_kind_of_yaml_1_2(
    written: str, kind: Kind, text: str
) -> None:
    node = read(f"key: {written}").entries["key"][1]

    assert isinstance(node, Scalar)
    assert (node.kind, node.text) == (kind, text)


def test_every_key_and_value_knows_its_line_and_column() -> None:
    block = read("a: 1\nb:\n  c: [x,\n    y]\n")

    key, inner = block.entries["b"]
    assert key == Mark(2, 1)
    assert isinstance(inner, Block)
    at, items = inner.entries["c"]
    assert at == Mark(3, 3)
    assert isinstance(items, Items)
    assert [node.mark for node in items.nodes] == [Mark(3, 7), Mark(4, 5)]


def test_an_alias_stands_for_the_value_it_names() -> None:
    block = read("a: &same {x: 1}\nb: *same\n")

    assert block.entries["a"][1] is block.entries["b"][1]


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a: 1\nb: 2\na: 3", 3, 1, '"a" is given twice, first on line 1'),
        ("x: {a: 1, a: 2}", 1, 11, '"a" is given twice'),
        ("a: !!str 1", 1, 4, "tags"),
        ("a: !!python/object:os.system {}", 1, 4, "tags"),
        ("a: *gone", 1, 4, "alias"),
        ("a: &a [*a]", 1, 8, "alias"),
        ("[1, 2]", 1, 1, "mapping"),
        ("just text", 1, 1, "mapping"),
        ("# only a comment", 1, 1, "mapping"),
        ("", 1, 1, "empty"),
        (" \n\n", 1, 1, "empty"),
        ("a: 1\n---\nb: 2", 2, 1, "one document"),
        ("a:\n\t- b", 2, 1, "not valid YAML"),
        ("a: b: c", 1, 5, "not valid YAML"),
        ("? [a]\n: b", 1, 3, "key must be plain text"),
        ("a: 1\nb: \x07", 2, 4, "control character"),
        ("a: \ud800", 1, 4, "control character"),
        ("a: " + "[" * (DEPTH_MAX + 1), 1, DEPTH_MAX + 3, "deeper"),
        ("a: " + "x" * BYTES_MAX, 1, 1, "larger"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_place(text: str, line: int, column: int, words: str) -> None:
    at_line, at_column, message = refusal(text)

    assert (at_line, at_column) == (line, column)
    assert words in message


def test_a_hundred_aliases_are_read_and_one_more_is_refused() -> None:
    aliases = ", ".join(["*a"] * ALIASES_MAX)

    assert read(f"a: &a 1\nb: [{aliases}]")
    assert "aliases" in refusal(f"a: &a 1\nb: [{aliases}, *a]")[2]


def test_a_bomb_of_few_aliases_is_counted_as_what_it_unfolds_to() -> None:
    layers = ["a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    layers += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]

    assert refusal("\n".join(layers))[2] == f"the file holds more than {NODES_MAX} values"


def test_twenty_problems_are_told_and_the_rest_is_counted() -> None:
    with pytest.raises(ConfigError) as caught:
        read("a: 1\n" * (PROBLEMS_MAX + 4))

    assert len(caught.value.problems) == PROBLEMS_MAX
    assert str(caught.value).endswith("and 3 more")


def test_what_the_parser_quotes_from_the_file_is_not_repeated() -> None:
    error = yaml.scanner.ScannerError(problem="found duplicate anchor 'canary'; expected ':'")

    assert parser_words(error) == "found duplicate anchor …; expected ':'"
