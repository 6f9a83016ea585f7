"""Files and functions fit a screen. The exceptions may only shrink: a needless one fails too."""

from __future__ import annotations

import ast

import pytest

from tests.house.source import Module, modules, named

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
ARGUMENTS_MAX = 8

LONG_FILES: dict[str, int] = {}
LONG_FUNCTIONS: dict[str, int] = {}
MANY_ARGUMENTS: dict[str, int] = {
    "otari_cli/commands/usage.py:usage": 16,  # its options are the interface
    "otari_daemon/control/operations/__init__.py:LocalOperations.__init__": 9,  # all an operator can reach
}

EVERYTHING = modules("otari_daemon", "otari_cli", "tests", "bench", "scripts")


def lengths(module: Module) -> dict[str, int]:
    """Lines of each function of a file, its decorators and docstring aside."""
    found = {}
    for name, node in named(module.tree):
        if isinstance(node, ast.ClassDef) or node.end_lineno is None:
            continue
        first = node.body[1:2] if ast.get_docstring(node) else node.body[:1]
        start = first[0].lineno if first else node.end_lineno
        found[f"{module.path}:{name}"] = node.end_lineno - start + 1
    return found


def arguments(module: Module) -> dict[str, int]:
    """Arguments of each function of a file, `self` and `cls` aside."""
    found = {}
    for name, node in named(module.tree):
        if isinstance(node, ast.ClassDef):
            continue
        every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        found[f"{module.path}:{name}"] = sum(each.arg not in ("self", "cls") for each in every)
    return found


def over(found: dict[str, int], most: int) -> dict[str, int]:
    return {name: size for name, size in found.items() if size > most}


def test_there_is_something_to_measure() -> None:
    assert len(EVERYTHING) > 100
    assert any(size > FUNCTION_LINES_MAX // 2 for module in EVERYTHING for size in lengths(module).values())


def test_files_have_at_most_400_lines() -> None:
    sizes = {module.path: len(module.text.splitlines()) for module in EVERYTHING}

    assert over(sizes, FILE_LINES_MAX) == LONG_FILES


def test_functions_have_at_most_60_lines() -> None:
    found = {name: size for module in EVERYTHING for name, size in lengths(module).items()}

    assert over(found, FUNCTION_LINES_MAX) == LONG_FUNCTIONS


@pytest.mark.parametrize("package", ["otari_daemon", "otari_cli"])
def test_functions_take_at_most_8_arguments(package: str) -> None:
    found = {name: count for module in modules(package) for name, count in arguments(module).items()}

    assert over(found, ARGUMENTS_MAX) == {
        name: count for name, count in MANY_ARGUMENTS.items() if name.startswith(package)
    }
