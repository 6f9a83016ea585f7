"""What an import costs: the command's root and the daemon's name load nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    "falcon",
    "pony",
    "uvicorn",
    "textual",
    "httpx",
    "rich",
    "msgspec",
    "yaml",
    "docker",
    "trafilatura",
    "asyncio",
}
PROBE = """\
import json, sys
before = set(sys.modules)
import {name}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def loaded_by(name: str) -> set[str]:
    """The modules a fresh interpreter loads for one import."""
    ran = subprocess.run(
        [sys.executable, "-I", "-c", PROBE.format(name=name)], capture_output=True, check=True, timeout=30
    )
    return set(json.loads(ran.stdout))


def test_the_commands_root_loads_none_of_the_heavy_libraries() -> None:
    loaded = loaded_by("otari_cli.main")

    assert "otari_cli.main" in loaded
    assert {name for name in loaded if name.partition(".")[0] in HEAVY} == set()
    assert not any(name.startswith("otari_daemon") for name in loaded)
    assert not any(name.startswith("otari_cli.commands.") for name in loaded)


def test_the_daemons_name_loads_nothing() -> None:
    assert loaded_by("otari_daemon") == {"otari_daemon"}


@pytest.mark.parametrize("package", ["otari_daemon.domain.book", "otari_daemon.protocol.messages"])
def test_the_lowest_floor_loads_only_the_standard_library(package: str) -> None:
    tops = {name.partition(".")[0] for name in loaded_by(package)} - sys.stdlib_module_names

    assert {top for top in tops if not top.startswith("_sysconfigdata")} == {"otari_daemon"}


@pytest.mark.parametrize("package", ["otari_daemon.mock.service", "otari_daemon.wire.chat"])
def test_lower_floors_load_no_server_and_no_database(package: str) -> None:
    tops = {name.partition(".")[0] for name in loaded_by(package)}

    assert not tops & {"falcon", "pony", "uvicorn", "httpx", "textual", "rich", "typer", "yaml"}
