"""The tracked source, parsed once."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGES = ("otari_daemon", "otari_cli")

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Module(NamedTuple):
    """One Python file: where it is, what it says, and what that means."""

    path: str
    text: str
    tree: ast.Module


class Named(NamedTuple):
    """A class or function under its dotted name within its file."""

    name: str
    node: Function | ast.ClassDef


@cache
def tracked() -> tuple[Path, ...]:
    """Every tracked file that is there, and every new one that git would not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True, timeout=20,
    ).stdout  # fmt: skip
    paths = {ROOT / name.decode() for name in listed.split(b"\0") if name}
    return tuple(sorted(path for path in paths if path.is_file()))


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """The Python files under some folders of the repository."""
    found = []
    for path in tracked():
        relative = path.relative_to(ROOT)
        if path.suffix == ".py" and relative.parts[0] in folders:
            text = path.read_text(encoding="utf-8")
            found.append(Module(str(relative), text, ast.parse(text)))
    return tuple(found)


def named(node: ast.AST, prefix: str = "") -> list[Named]:
    """All classes and functions in a tree, those within others included."""
    found = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = prefix + child.name
            found += [Named(name, child), *named(child, name + ".")]
        else:
            found += named(child, prefix)
    return found
