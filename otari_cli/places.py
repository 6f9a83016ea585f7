"""Where the daemon's admin socket is: the rule of the configuration, without reading all of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

SYSTEM_CONFIG = "/etc/otari/config.yml"
ROOT_SOCKET = "/run/otari/admin.sock"
CONFIG_CHARS_MAX = 1 << 20
"""No more of a configuration file is looked at."""

_LINE = r"^{key}[ \t]*:[ \t]*(?:\"([^\"\n]*)\"|'([^'\n]*)'|([^\s#][^#\n]*?))[ \t]*(?:#.*)?$"
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def admin_socket(
    flag: str | None, environ: Mapping[str, str], uid: int, read: Callable[[str], str | None]
) -> str:
    """Find the socket: flag, `$OTARI_ADMIN_SOCKET`, configuration, systemd, then this user's own places.

    `read` gives a file's text, or None if it is not there.
    """
    named = flag or environ.get("OTARI_ADMIN_SOCKET")
    if named:
        return _home(named, environ)
    config = _config(environ, read)
    configured = _setting(config, "admin_socket", environ)
    if configured:
        return configured
    runtime = _absolute(environ.get("RUNTIME_DIRECTORY", "").partition(":")[0])
    if runtime:
        return f"{runtime}/admin.sock"
    if uid == 0:
        return ROOT_SOCKET
    session = _absolute(environ.get("XDG_RUNTIME_DIR"))
    return f"{session}/otari/admin.sock" if session else f"{_state(config, environ)}/admin.sock"


def _state(config: str, environ: Mapping[str, str]) -> str:
    chosen = environ.get("OTARI_STATE_DIR")
    if chosen:
        return _home(chosen, environ)
    given = _setting(config, "state_dir", environ) or _absolute(
        environ.get("STATE_DIRECTORY", "").partition(":")[0]
    )
    return given or f"{_base(environ, 'XDG_STATE_HOME', '.local/state')}/otari"


def _config(environ: Mapping[str, str], read: Callable[[str], str | None]) -> str:
    """The text of the configuration file the daemon would read; empty without one."""
    named = environ.get("OTARI_CONFIG")
    if named:
        return read(named) or ""
    personal = f"{_base(environ, 'XDG_CONFIG_HOME', '.config')}/otari/config.yml"
    found = (read(path) for path in ("config.yml", personal, SYSTEM_CONFIG))
    return next((text for text in found if text is not None), "")


def _setting(config: str, key: str, environ: Mapping[str, str]) -> str | None:
    """A top-level scalar of a YAML text, its `${VAR}`s filled in."""
    match = re.search(_LINE.format(key=key), config, re.MULTILINE)
    if match is None:
        return None
    text = next(group for group in match.groups() if group is not None)
    if text in ("", "~", "null"):
        return None
    return _home(_REFERENCE.sub(lambda name: environ.get(name[1], ""), text), environ)


def _base(environ: Mapping[str, str], variable: str, below_home: str) -> str:
    """An XDG base directory; a relative one is ignored, as its specification asks."""
    return _absolute(environ.get(variable)) or f"{environ.get('HOME') or ''}/{below_home}"


def _absolute(path: str | None) -> str | None:
    return path if path and path.startswith("/") else None


def _home(path: str, environ: Mapping[str, str]) -> str:
    home = environ.get("HOME")
    return home + path[1:] if home and path.startswith("~/") else path
