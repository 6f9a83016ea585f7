"""Where the configuration, the state and the admin socket are; pure functions of what they are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from otari_daemon.config.problems import ConfigError, Problem
from otari_daemon.config.schema import Config
from otari_daemon.config.secret import SecretUrl

SYSTEM_CONFIG = Path("/etc/otari/config.yml")
ROOT_SOCKET = Path("/run/otari/admin.sock")
SOCKET_NAME = "admin.sock"
DATABASE_NAME = "otari.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where one daemon keeps and finds things; all absolute."""

    state_dir: Path
    admin_socket: Path
    database_url: SecretUrl


def config_file(
    chosen: Path | None, environ: Mapping[str, str], cwd: Path, exists: Callable[[Path], bool]
) -> Path | None:
    """Find the configuration file, or `None` where there is none.

    One named by an option or by `OTARI_CONFIG` is the answer even if it is not there, so that reading it
    says so.
    """
    if chosen is not None:
        return cwd / chosen
    if named := environ.get("OTARI_CONFIG"):
        return cwd / named
    home = _base(environ, "XDG_CONFIG_HOME", ".config")
    candidates = [cwd / "config.yml", home / "otari/config.yml" if home else None, SYSTEM_CONFIG]
    return next((path for path in candidates if path and exists(path)), None)


def places(config: Config, environ: Mapping[str, str], cwd: Path, uid: int) -> Places:
    """Work out every place from the configuration, then systemd's, then the user's directories."""
    state = _state_dir(config, environ, cwd)
    return Places(
        state_dir=state,
        admin_socket=_admin_socket(config, environ, cwd, uid, state),
        database_url=config.database_url or SecretUrl(f"sqlite:///{state / DATABASE_NAME}"),
    )


def _state_dir(config: Config, environ: Mapping[str, str], cwd: Path) -> Path:
    if config.state_dir:
        return _absolute(config.state_dir, environ, cwd)
    if given := _first(environ, "STATE_DIRECTORY"):
        return given
    home = _base(environ, "XDG_STATE_HOME", ".local/state")
    if home is None:
        message = "there is no place for state, set state_dir or OTARI_STATE_DIR"
        raise ConfigError("environment", (Problem(0, 0, "state_dir", message),))
    return home / "otari"


def _admin_socket(config: Config, environ: Mapping[str, str], cwd: Path, uid: int, state: Path) -> Path:
    if config.admin_socket:
        return _absolute(config.admin_socket, environ, cwd)
    if given := _first(environ, "RUNTIME_DIRECTORY"):
        return given / SOCKET_NAME
    if uid == 0:
        return ROOT_SOCKET
    runtime = _absolute_or_none(environ.get("XDG_RUNTIME_DIR"))
    return runtime / "otari" / SOCKET_NAME if runtime else state / SOCKET_NAME


def _base(environ: Mapping[str, str], variable: str, below_home: str) -> Path | None:
    """Find an XDG base directory; a relative one is ignored, as its specification asks."""
    if chosen := _absolute_or_none(environ.get(variable)):
        return chosen
    home = _absolute_or_none(environ.get("HOME"))
    return home / below_home if home else None


def _first(environ: Mapping[str, str], variable: str) -> Path | None:
    """Take the first of systemd's colon-separated directories."""
    return _absolute_or_none(environ.get(variable, "").partition(":")[0])


def _absolute_or_none(text: str | None) -> Path | None:
    return Path(text) if text and text.startswith("/") else None


def _absolute(text: str, environ: Mapping[str, str], cwd: Path) -> Path:
    home = environ.get("HOME")
    expanded = home + text[1:] if home and text.startswith("~/") else text
    return cwd / expanded
