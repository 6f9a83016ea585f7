"""`otari db` as an operator types it, on both engines, with and without a daemon."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.machine import Machine
from tests.postgres import cluster

pytestmark = pytest.mark.e2e
ASKED_S = 60.0
BOOKS_OK = "books: ok, 0 holds and 0 balances"


def otari(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "otari_cli", *words],
        capture_output=True,
        text=True,
        timeout=ASKED_S,
        env={**os.environ, **environ},
        check=False,
    )


def test_a_database_is_made_moved_to_postgresql_and_checked(tmp_path: Path) -> None:
    state, url = f"--state-dir={tmp_path}", cluster().new_database()

    made = otari("init-db", state)
    again = otari("migrate", state, "--revision", "head")
    moved = otari("db", "copy", state, "--to", url)
    checked = otari("db", "check", "--database-url", url)

    assert [run.returncode for run in (made, again, moved, checked)] == [0, 0, 0, 0]
    assert made.stdout.startswith(f"sqlite:///{tmp_path}/otari.db is at schema revision ")
    assert "nothing to apply" in again.stdout
    assert "every count and sum is the same" in moved.stdout
    assert checked.stdout.splitlines()[-1] == BOOKS_OK


def test_a_serving_daemon_is_backed_up_and_the_backup_serves(tmp_path: Path) -> None:
    machine, file = Machine(), tmp_path / "backup.db"
    try:
        machine.start()
        state = f"--state-dir={machine.home / 'state'}"
        refused = otari("db", "migrate", state)
        kept = otari("db", "backup", str(file), state)
        restored = otari("db", "restore", str(file), DATABASE_URL=f"sqlite:///{tmp_path}/new.db")
    finally:
        machine.stop()

    assert (refused.returncode, kept.returncode, restored.returncode) == (1, 0, 0)
    assert "another otari daemon is using" in refused.stderr
    assert kept.stdout.splitlines()[:-1] == restored.stdout.splitlines()[:-1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("migrate", "--revision", "one/two"), "Invalid revision format: one/two"),
        (("migrate", "--revision", "999"), "there is no schema revision 999"),
        (("db", "restore", "/nowhere/at/all.db"), "unable to open database file"),
        (("db", "check"), "unable to open database file"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    run = otari(*words, f"--state-dir={tmp_path}")

    assert (run.returncode, run.stdout, said in run.stderr) == (1, "", True)
    assert run.stderr.count("\n") == 1


def test_a_password_is_not_shown(tmp_path: Path) -> None:
    url = cluster().new_database().replace("otari@", "otari:s3cret@")

    run = otari("db", "migrate", "--database-url", url, f"--state-dir={tmp_path}")

    assert (run.returncode, "s3cret" in run.stdout + run.stderr) == (0, False)
