"""Mutation is by hand, but that what it looks for is still there is a matter of every day."""

from __future__ import annotations

from pathlib import Path

from tests.proofs.mutants import TARGETS, equivalents


def test_every_module_to_be_changed_and_every_test_that_should_notice_exists() -> None:
    paths = {path for target in TARGETS for path in (target.path, *target.tests)}

    assert [path for path in sorted(paths) if not Path(path).exists()] == []


def test_every_equivalent_mutant_is_of_a_module_that_is_looked_at() -> None:
    files = {Path(target.path).name for target in TARGETS}

    assert {name.split()[0] for name in equivalents()} <= files
