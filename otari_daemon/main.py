"""`otarid`: arguments in, exit code out. The only module of the daemon that prints."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path

import uvloop

from otari_daemon import __version__, maintenance
from otari_daemon.config.load import load_file
from otari_daemon.config.paths import config_file, places
from otari_daemon.config.problems import ConfigError
from otari_daemon.daemon import Daemon, Started
from otari_daemon.runtime import UnknownProviderType
from otari_daemon.sockets import CannotListen
from otari_daemon.store.errors import StoreError

EXIT_CONFIG = 78
"""`EX_CONFIG`: service managers do not restart for it."""

_OVERRIDES = ("host", "port", "database_url", "state_dir", "admin_socket", "log_level")


def main() -> None:
    """Load the configuration, serve until told to stop, exit 0; 78 when it cannot start as configured."""
    os.umask(0o077)
    if sys.argv[1:2] == ["db"]:
        _maintain(sys.argv[2:])
        return
    arguments = _arguments()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(arguments))
    except ConfigError as error:
        _fail(str(error))
    except (StoreError, CannotListen, UnknownProviderType) as error:
        _fail(f"otarid: {error}")


def _maintain(words: list[str]) -> None:
    """Be `otarid db`: exit 0, or 1 when it cannot be done or the books are not right."""
    try:
        outcome = maintenance.run(words, os.environ, Path.cwd(), os.getuid())
    except (ConfigError, StoreError) as error:
        print(f"otarid: {error}", file=sys.stderr)
        raise SystemExit(1) from error
    print("\n".join(outcome.lines), flush=True)
    raise SystemExit(0 if outcome.good else 1)


async def _run(arguments: argparse.Namespace) -> None:
    path = config_file(arguments.config, os.environ, Path.cwd(), Path.is_file)
    chosen = {name: getattr(arguments, name) for name in _OVERRIDES}
    overrides = {name: value for name, value in chosen.items() if value is not None}
    config = load_file(path, environ=os.environ, overrides=overrides)
    where = places(config, os.environ, Path.cwd(), os.getuid())
    where.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for library in (
        "uvicorn",
        "httpx",
        "httpcore",
        "hpack",
    ):  # they tell every request, and debug tells headers
        logging.getLogger(library).setLevel(logging.WARNING)
    logging.basicConfig(
        level=config.log_level.upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    await Daemon(config, str(path) if path else None, where).run(_announce)


def _announce(started: Started) -> None:
    """Say where it listens and, on the first start, the key that is shown this once."""
    lines = [f"otari {__version__} listens on {started.listen} (admin socket {started.admin_socket})"]
    if started.bootstrap_key:
        lines += [
            "",
            "first start: this key is shown once, keep it:",
            f"  {started.bootstrap_key}",
        ]
        if started.mock:
            lines += ["", "try it, with the built-in mock provider:", _curl(started)]
    print("\n".join(lines), flush=True)


def _curl(started: Started) -> str:
    return (
        f"  curl {started.listen}/v1/chat/completions \\\n"
        f"    -H 'Authorization: Bearer {started.bootstrap_key}' \\\n"
        "    -H 'Content-Type: application/json' \\\n"
        '    -d \'{"model": "mock:echo", "messages": [{"role": "user", "content": "hello"}]}\''
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="otarid", description="The otari gateway daemon, in the foreground."
    )
    parser.add_argument("--version", action="version", version=f"otarid {__version__}")
    parser.add_argument("--config", "-c", type=Path, help="configuration file")
    parser.add_argument("--host")
    parser.add_argument("--port")
    parser.add_argument("--state-dir")
    parser.add_argument("--database-url")
    parser.add_argument("--admin-socket")
    parser.add_argument("--log-level")
    return parser.parse_args()


def _fail(message: str) -> None:
    print(message, file=sys.stderr)
    raise SystemExit(EXIT_CONFIG)


if __name__ == "__main__":
    main()
