"""Do the tests notice a changed ledger? `python -m tests.proofs.mutants [book.py ...]`.

Each mutant runs in a fork in which one module is replaced, against the tests nearest to that module. A mutant
that hangs is noticed. A driver of our own, since mutmut 3.8 mutates no property,
no `__new__` and no constant, a third of this code, and found no tests for the rest of it here.

Mutants that change nothing anyone could see stand in `equivalent.txt`, each with its reason.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.abc
import importlib.machinery
import os
import signal
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import hypothesis
import pytest

from tests.proofs.mutations import Mutant, mutants_of

LIFE_S = 60
EXAMPLES = 25
PRELOADED = (
    "asyncio",
    "falcon.asgi",
    "hypothesis.stateful",
    "msgspec",
    "pony.orm",
    "pytest_asyncio",
    "zoneinfo",
)
"""Imported once for all forks: no module of ours."""

SCORE_MIN = 95
EQUIVALENT = Path(__file__).with_name("equivalent.txt")
PLUGINS = "pytest_asyncio.plugin,_hypothesis_pytestplugin"
_ALONE = ("-c", os.devnull, "--rootdir", ".", "-o", "asyncio_mode=auto", "-p", "no:cacheprovider")
_QUIET = ("-q", "-x", "--no-header", "--hypothesis-seed=0")
_ONE_ENGINE = ("-k", "not postgresql")
"""What is changed knows no engine, and a server for every mutant would take an hour."""


class Target(NamedTuple):
    """A module, and the tests nearest to it, which should notice."""

    path: str
    tests: tuple[str, ...]

    @property
    def module(self) -> str:
        """Its name for `import`."""
        return self.path.removesuffix(".py").replace("/", ".")


def _domain(name: str, *more: str) -> Target:
    return Target(f"otari_daemon/domain/{name}.py", (f"tests/domain/test_{name}.py", *more))


_LEDGER = (
    "tests/ledger/test_fold.py",
    "tests/ledger/test_recovery.py",
    "tests/ledger/test_verify.py",
    "tests/store/test_writer.py",
)
TARGETS = (
    _domain("book", *(f"tests/domain/test_book_{what}.py" for what in ("edges", "raises", "adjust"))),
    _domain("budgets", "tests/ledger/test_recovery.py"),
    _domain("errors"),
    _domain("intent", "tests/wire/test_chat_intent.py"),
    _domain("keys"),
    _domain("limits"),
    _domain("money"),
    _domain("pricing", "tests/domain/test_rates.py", "tests/domain/test_service_tiers.py"),
    _domain("records", "tests/ledger/test_recovery.py"),
    _domain("settling"),
    _domain("usage", "tests/wire/test_usage_openai.py"),
    _domain("users"),
    _domain("windows"),
    Target(
        "otari_daemon/control/ledger.py", ("tests/control/test_ledger.py", "tests/control/test_limits.py")
    ),
    Target("otari_daemon/store/fold.py", _LEDGER),
    Target("otari_daemon/store/recovery.py", _LEDGER),
)


class Verdict(NamedTuple):
    """What became of a module's mutants: names of those nobody noticed."""

    total: int
    equivalent: int
    survivors: list[str]

    @property
    def judged(self) -> int:
        """Mutants that could be noticed."""
        return self.total - self.equivalent


class _Replaced(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a mutant's code instead of its file."""

    def __init__(self, module: str, mutant: Mutant) -> None:
        self._module, self._mutant = module, mutant

    def find_spec(self, fullname: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        """The module, if it is that one."""
        if fullname != self._module:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, origin=self._mutant.code.co_filename)

    def exec_module(self, module: ModuleType) -> None:
        """Run the mutant."""
        module.__file__ = self._mutant.code.co_filename
        exec(self._mutant.code, module.__dict__)


def noticed(target: Target, mutant: Mutant | None) -> bool:
    """Whether some test fails, or hangs, with the mutant in the module's place."""
    child = os.fork()
    if child == 0:
        _be_a_victim(target, mutant)
    _, status = os.waitpid(child, 0)
    return status != 0


def _be_a_victim(target: Target, mutant: Mutant | None) -> None:
    """In the fork: test, and end with what pytest says; never returns."""
    code = 1
    try:
        signal.alarm(LIFE_S)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        if mutant is not None:
            sys.meta_path.insert(0, _Replaced(target.module, mutant))
        code = int(pytest.main([*_ALONE, *_QUIET, *_ONE_ENGINE, *target.tests]))
    finally:
        os._exit(code)


def equivalents() -> dict[str, str]:
    """Reasons of mutants that change nothing, by `file mutant`."""
    lines = [line for line in EQUIVALENT.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split(" || ") for line in lines)  # type: ignore[arg-type]


def judge(target: Target) -> Verdict:
    """Run every mutant of a module; print the survivors as they are found."""
    assert target.module not in sys.modules, "the module was imported before it could be replaced"
    file = Path(target.path).name
    assert not noticed(target, None), f"{file}: its tests fail as it is"
    known, survivors, total, equivalent = equivalents(), [], 0, 0
    for mutant in mutants_of(target.path, Path(target.path).read_text()):
        total += 1
        if f"{file} {mutant.name}" in known:
            equivalent += 1
        elif not noticed(target, mutant):
            survivors.append(mutant.name)
            print(f"survives: {file} {mutant.name}", flush=True)
    return Verdict(total, equivalent, survivors)


def main() -> None:
    """Judge the modules named, or all; exit 1 when too many mutants go unnoticed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", help="like book.py; all without")
    files = parser.parse_args().files
    hypothesis.settings.register_profile("mutants", database=None, deadline=None, max_examples=EXAMPLES)
    hypothesis.settings.load_profile("mutants")
    os.environ.update(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", PYTEST_PLUGINS=PLUGINS)
    for name in PRELOADED:
        importlib.import_module(name)
    judged = missed = 0
    for target in TARGETS:
        if files and Path(target.path).name not in files:
            continue
        began_s = time.monotonic()
        found = judge(target)
        judged, missed = judged + found.judged, missed + len(found.survivors)
        killed, took_s = found.judged - len(found.survivors), time.monotonic() - began_s
        of = f"{found.judged} noticed, {found.equivalent} equivalent"
        print(f"{target.path}: {killed} of {of} ({took_s:.0f} s)", flush=True)
    score = 100 * (judged - missed) / max(judged, 1)
    print(f"{judged - missed} of {judged} mutants noticed: {score:.1f} %")
    sys.exit(1 if score < SCORE_MIN else 0)


if __name__ == "__main__":
    main()
