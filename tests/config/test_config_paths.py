"""Where files are looked for and kept, in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from otari_daemon.config.load import load
from otari_daemon.config.paths import Places, config_file, places
from otari_daemon.config.problems import ConfigError

CWD = Path("/work")
HOME = {"HOME": "/home/a"}


@pytest.mark.parametrize(
    ("chosen", "environ", "there", "found"),
    [
        ("x.yml", {"OTARI_CONFIG": "/e.yml"}, ["/work/config.yml"], "/work/x.yml"),
        (None, {"OTARI_CONFIG": "/e.yml"}, ["/work/config.yml"], "/e.yml"),
        (None, {"OTARI_CONFIG": "e.yml"}, [], "/work/e.yml"),
        (None, {"OTARI_CONFIG": ""}, ["/work/config.yml"], "/work/config.yml"),
        (None, HOME, ["/work/config.yml", "/home/a/.config/otari/config.yml"], "/work/config.yml"),
        (None, HOME, ["/home/a/.config/otari/config.yml"], "/home/a/.config/otari/config.yml"),
        (None, {**HOME, "XDG_CONFIG_HOME": "/c"}, ["/c/otari/config.yml"], "/c/otari/config.yml"),
        (None, {**HOME, "XDG_CONFIG_HOME": "c"}, ["/work/c/otari/config.yml"], None),
        (None, {}, ["/etc/otari/config.yml"], "/etc/otari/config.yml"),
        (None, HOME, [], None),
    ],
)
def test_the_first_place_that_has_a_configuration_is_taken(
    chosen: str | None, environ: dict[str, str], there: list[str], found: str | None
) -> None:
    path = config_file(Path(chosen) if chosen else None, environ, CWD, lambda path: str(path) in there)

    assert path == (Path(found) if found else None)


def placed(environ: dict[str, str], text: str = "{}", uid: int = 1000) -> Places:
    """Work out the places of a configuration."""
    return places(load(text, source="c.yml", environ=environ), environ, CWD, uid)


@pytest.mark.parametrize(
    ("environ", "text", "state"),
    [
        ({**HOME, "OTARI_STATE_DIR": "/o", "STATE_DIRECTORY": "/s"}, "state_dir: /f", "/o"),
        ({**HOME, "STATE_DIRECTORY": "/s"}, "state_dir: /f", "/f"),
        ({**HOME, "STATE_DIRECTORY": "/s:/t"}, "{}", "/s"),
        ({**HOME, "XDG_STATE_HOME": "/x"}, "{}", "/x/otari"),
        ({**HOME, "XDG_STATE_HOME": "x"}, "{}", "/home/a/.local/state/otari"),
        (HOME, "{}", "/home/a/.local/state/otari"),
        (HOME, "state_dir: ~/here", "/home/a/here"),
        (HOME, "state_dir: here", "/work/here"),
    ],
)
def test_state_is_kept_where_the_first_of_them_says(environ: dict[str, str], text: str, state: str) -> None:
    found = placed(environ, text)

    assert found.state_dir == Path(state)
    assert found.database_url.reveal() == f"sqlite:///{state}/otari.db"


@pytest.mark.parametrize(
    ("environ", "text", "uid", "socket"),
    [
        ({"OTARI_ADMIN_SOCKET": "/o.sock"}, "admin_socket: /f.sock", 0, "/o.sock"),
        ({"RUNTIME_DIRECTORY": "/r"}, "admin_socket: /f.sock", 0, "/f.sock"),
        ({"RUNTIME_DIRECTORY": "/r"}, "{}", 0, "/r/admin.sock"),
        ({"XDG_RUNTIME_DIR": "/run/user/0"}, "{}", 0, "/run/otari/admin.sock"),
        ({"XDG_RUNTIME_DIR": "/run/user/1"}, "{}", 1, "/run/user/1/otari/admin.sock"),
        ({}, "{}", 1, "/home/a/.local/state/otari/admin.sock"),
        ({}, "state_dir: /s", 1, "/s/admin.sock"),
    ],
)
def test_the_admin_socket_is_where_the_first_of_them_says(
    environ: dict[str, str], text: str, uid: int, socket: str
) -> None:
    assert placed({**HOME, **environ}, text, uid).admin_socket == Path(socket)


def test_a_database_of_ones_own_is_left_alone() -> None:
    assert placed(HOME, "database_url: postgresql:///x").database_url.reveal() == "postgresql:///x"


def test_without_any_home_the_way_out_is_told() -> None:
    with pytest.raises(ConfigError, match="set state_dir or OTARI_STATE_DIR"):
        placed({})
