"""What a start of `otari` loads: only what the command at hand needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.admin.served import Served

HEAVY = {
    "falcon",
    "pony",
    "uvicorn",
    "textual",
    "httpx",
    "rich",
    "msgspec",
    "yaml",
    "click",
    "otari_daemon.domain",
}
REPOSITORY = Path(__file__).parents[2]


def _python(code: str, **env: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout


def _loaded_by(*argv: str, **env: str) -> set[str]:
    code = (
        "import sys, json; from otari_cli.main import run; "
        f"code = run({list(argv)!r}); print(); print(json.dumps([code, *sys.modules]))"
    )
    code_of_run, *modules = json.loads(_python(code, **env).splitlines()[-1])
    assert code_of_run == 0
    return set(modules)


def test_importing_the_command_loads_nothing_heavy() -> None:
    loaded = set(json.loads(_python("import sys, json, otari_cli.main; print(json.dumps([*sys.modules]))")))

    assert not loaded & (HEAVY | {"http.client", "otari_cli.client"})


def test_the_version_needs_neither_the_protocol_nor_http() -> None:
    assert not _loaded_by("--version") & (HEAVY | {"http.client", "otari_daemon.protocol.messages"})


@pytest.mark.parametrize("argv", [("keys", "list"), ("usage",), ("status",), ("keys", "--help")])
def test_a_command_loads_nothing_heavy(daemon: Served, argv: tuple[str, ...]) -> None:
    assert not _loaded_by(*argv, OTARI_ADMIN_SOCKET=daemon.path) & HEAVY


def test_the_help_of_every_command_can_be_shown() -> None:
    code = (
        "from otari_cli.main import NOUNS, run; "
        "print([run([noun, '--help']) for noun in NOUNS if noun != 'mock'])"
    )

    assert set(json.loads(_python(code).splitlines()[-1])) == {0}


@pytest.mark.parametrize(
    ("words", "offered"), [("otari ke", "keys"), ("otari keys l", "list"), ("otari -", "--help")]
)
def test_a_shell_is_offered_what_fits(words: str, offered: str) -> None:
    env = {"_OTARI_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}

    code = "import sys, json, otari_cli.main as m\ntry: m.run([])\nfinally: print(json.dumps([*sys.modules]))"

    *out, modules = _python(code, **env).splitlines()

    assert offered in out
    assert "--install-completion" not in out
    assert not set(json.loads(modules)) & (HEAVY | {"http.client", "otari_daemon.protocol.messages"})
