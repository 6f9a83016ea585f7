"""What the source says: docstrings, integers for money, nothing left for later, no secrets of a machine."""

from __future__ import annotations

import ast
import asyncio
import re
from pathlib import Path

import pytest

from tests.house.source import PACKAGES, ROOT, Named, modules, named, tracked

UNSAID = {"otari_daemon/admin/events.py:Reader.gone", "otari_daemon/admin/events.py:Reader.on_gone"}
"""Public names without a docstring; may only shrink."""

MONEY = ["money", "pricing", "book", "settling", "budgets", "usage"]
FLOATING = {"float", "Decimal", "Fraction"}
LATER = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX|HA" + r"CK)\b")
REGISTRY = re.compile("py" r"pi\.org|python" r"hosted|--(?:extra-)?index" r"-url", re.IGNORECASE)
MACHINE = re.compile(r"/ho" r"me/(?!(?:a|ana)\b)\w|/Us" r"ers/\w|/ro" r"ot/\w|/wo" r"rk/(?:main|shared|\.)")
PIN = re.compile(r"[a-z0-9][a-z0-9._-]*(?:\[[a-z,]+\])?==[\w.+!]+(?: ; [^\\]+?)?(?= \\|$)")
TEXT_SUFFIXES = {".py", ".md", ".toml", ".lock", ".yml", ".yaml", ".cfg", ".txt", ".sh", ".service", ""}


def public(found: list[Named]) -> list[Named]:
    """Those anyone may call: not private, not within a function, not a callback that asyncio documents."""
    functions = [each.name + "." for each in found if not isinstance(each.node, ast.ClassDef)]
    return [
        each
        for each in found
        if not any(part.startswith("_") for part in each.name.split("."))
        and not each.name.startswith(tuple(functions))
        and not hasattr(asyncio.Protocol, each.node.name)
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_module_class_and_function_has_a_docstring(package: str) -> None:
    bare = {module.path for module in modules(package) if ast.get_docstring(module.tree) is None}
    for module in modules(package):
        silent = [each for each in public(named(module.tree)) if ast.get_docstring(each.node) is None]
        bare |= {f"{module.path}:{each.name}" for each in silent}

    assert bare == {name for name in UNSAID if name.startswith(package)}


@pytest.mark.parametrize("name", MONEY)
def test_no_float_or_decimal_takes_part_in_money(name: str) -> None:
    (module,) = [each for each in modules("otari_daemon") if each.path == f"otari_daemon/domain/{name}.py"]

    for node in ast.walk(module.tree):
        assert not (isinstance(node, ast.Name) and node.id in FLOATING), node.lineno
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), node.lineno
        assert not (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)), node.lineno


def test_nothing_is_left_for_later() -> None:
    everything = modules(*PACKAGES, "tests", "bench", "scripts")

    assert [each.path for each in everything if LATER.search(each.text)] == []


def test_no_import_is_relative() -> None:
    for module in modules(*PACKAGES, "tests", "bench", "scripts"):
        for node in ast.walk(module.tree):
            assert not (isinstance(node, ast.ImportFrom) and node.level), module.path


def test_no_registry_and_no_path_of_a_machine_is_tracked() -> None:
    found = []
    for path in tracked():
        if path.suffix in TEXT_SUFFIXES:
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if REGISTRY.search(line) or MACHINE.search(line):
                    found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")

    assert found == []


@pytest.mark.parametrize("lock", [path for path in tracked() if path.name == "requirements.lock"], ids=str)
def test_every_locked_package_is_pinned_and_has_hashes(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    packages = [line for line in text.replace("\\\n", "").splitlines() if line and not line.startswith("#")]

    assert packages
    assert "://" not in text
    for line in packages:
        assert PIN.match(re.sub(r"\s+--hash", r" \\ --hash", line, count=1)), line
        assert re.search(r"--hash=sha256:[0-9a-f]{64}(?:\s|$)", line), line
