"""Where the socket is: the command and the daemon must agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from otari_cli.places import SYSTEM_CONFIG, admin_socket
from otari_daemon.config.load import load
from otari_daemon.config.paths import config_file, places

HOME = {"HOME": "/home/ana"}
XDG = HOME | {"XDG_RUNTIME_DIR": "/run/user/1000", "XDG_STATE_HOME": "/var/s", "XDG_CONFIG_HOME": "/cfg"}
PERSONAL = "/home/ana/.config/otari/config.yml"


@pytest.mark.parametrize(
    ("environ", "uid", "files", "expected"),
    [
        (HOME, 1000, {}, "/home/ana/.local/state/otari/admin.sock"),
        (HOME, 0, {}, "/run/otari/admin.sock"),
        (XDG, 1000, {}, "/run/user/1000/otari/admin.sock"),
        (HOME | {"XDG_RUNTIME_DIR": "relative"}, 1000, {}, "/home/ana/.local/state/otari/admin.sock"),
        (XDG | {"RUNTIME_DIRECTORY": "/run/a:/run/b"}, 0, {}, "/run/a/admin.sock"),
        (HOME | {"OTARI_STATE_DIR": "~/st"}, 1000, {}, "/home/ana/st/admin.sock"),
        (HOME | {"STATE_DIRECTORY": "/var/lib/otari"}, 1000, {}, "/var/lib/otari/admin.sock"),
        (XDG | {"OTARI_ADMIN_SOCKET": "/env.sock"}, 0, {PERSONAL: "admin_socket: /cfg.sock"}, "/env.sock"),
        (HOME, 1000, {PERSONAL: "port: 1\nadmin_socket: /cfg.sock  # here"}, "/cfg.sock"),
        (HOME, 1000, {PERSONAL: "admin_socket: '~/my #1.sock'"}, "/home/ana/my #1.sock"),
        (HOME | {"RUN": "/r"}, 1000, {PERSONAL: 'admin_socket: "${RUN}/a.sock"'}, "/r/a.sock"),
        (HOME, 1000, {PERSONAL: "admin_socket: null\nstate_dir: /srv/o"}, "/srv/o/admin.sock"),
        (XDG, 1000, {"/cfg/otari/config.yml": "admin_socket: /x.sock"}, "/x.sock"),
        (
            HOME,
            1000,
            {SYSTEM_CONFIG: "admin_socket: /sys.sock", PERSONAL: "{}"},
            "/home/ana/.local/state/otari/admin.sock",
        ),
        (HOME, 1000, {SYSTEM_CONFIG: "admin_socket: /sys.sock"}, "/sys.sock"),
        (HOME | {"OTARI_CONFIG": "/etc/o.yml"}, 1000, {"/etc/o.yml": "admin_socket: /o.sock"}, "/o.sock"),
    ],
)
def test_the_socket_is_found_as_the_contract_says_and_the_daemon_does(
    environ: dict[str, str], uid: int, files: dict[str, str], expected: str
) -> None:
    assert admin_socket(None, environ, uid, lambda path: files.get(path)) == expected
    assert _the_daemons(environ, uid, files) == expected


def _the_daemons(environ: dict[str, str], uid: int, files: dict[str, str]) -> str:
    """Where a daemon with this environment and these files puts its socket."""
    root = Path("/")
    found = config_file(None, environ, root, lambda path: str(path) in files)
    config = load(files[str(found)] if found else None, source="config.yml", environ=environ)
    return str(places(config, environ, root, uid).admin_socket)


def test_a_setting_of_another_section_is_not_taken() -> None:
    text = "tools:\n  admin_socket: /not.this\n"

    assert admin_socket(None, HOME, 0, lambda path: {PERSONAL: text}.get(path)) == "/run/otari/admin.sock"


def test_the_flag_is_first() -> None:
    assert (
        admin_socket("/flag.sock", XDG | {"OTARI_ADMIN_SOCKET": "/env.sock"}, 0, lambda _: None)
        == "/flag.sock"
    )
