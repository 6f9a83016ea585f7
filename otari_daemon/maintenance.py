"""`otarid db ...`: what is done to a database, not by a daemon. Gives lines to print and a verdict."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from otari_daemon.config.load import load_file
from otari_daemon.config.paths import config_file, places
from otari_daemon.store import copying
from otari_daemon.store.database import Session
from otari_daemon.store.engines import open_database, reading
from otari_daemon.store.errors import StoreError
from otari_daemon.store.migrate import migrate, status, up_to
from otari_daemon.store.verify import Report, verify

HEAD = "head"
FINDINGS_SHOWN = 20
_REVISION = re.compile(r"[A-Za-z0-9_+\-]+")


class Outcome(NamedTuple):
    """What to print, and whether everything is as it should be."""

    lines: tuple[str, ...]
    good: bool = True


def run(words: list[str], environ: Mapping[str, str], cwd: Path, uid: int) -> Outcome:
    """Do what the words after `db` say; raises `StoreError` and `ConfigError`."""
    arguments = _arguments(words)
    path = config_file(arguments.config, environ, cwd, Path.is_file)
    chosen = {"database_url": arguments.database_url, "state_dir": arguments.state_dir}
    overrides = {name: value for name, value in chosen.items() if value is not None}
    where = places(load_file(path, environ=environ, overrides=overrides), environ, cwd, uid)
    if arguments.verb != "check":
        where.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _do(arguments, where.database_url.reveal(), str(where.database_url))


def _do(arguments: argparse.Namespace, url: str, shown: str) -> Outcome:
    match arguments.verb:
        case "migrate":
            return _migrate(url, shown, arguments.revision)
        case "check":
            return _check(url, shown)
        case "backup":
            return _told(copying.backup(url, arguments.file, _now_ms()), f"{shown} is in the backup")
        case "restore":
            return _told(copying.restore(arguments.file, url, _now_ms()), f"the backup is in {shown}")
        case _:
            return _told(copying.copy(url, arguments.to, _now_ms()), f"{shown} is copied")


def _migrate(url: str, shown: str, revision: str) -> Outcome:
    if not _REVISION.fullmatch(revision):
        raise StoreError(f"Invalid revision format: {revision}")
    if revision != HEAD and not revision.isdecimal():
        raise StoreError(f"there is no schema revision {revision}: give a number, or {HEAD}")
    database = open_database(url)
    try:
        with database.explained():
            with database.snapshot() as session:
                before, newest = status(session.con)
            wanted = newest if revision == HEAD else int(revision)
            applied = migrate(database, _now_ms(), up_to(wanted, before))
    finally:
        database.close()
    done = f"applied {', '.join(map(str, applied))}" if applied else "nothing to apply"
    return Outcome((f"{shown} is at schema revision {wanted} of {newest}: {done}",))


def _check(url: str, shown: str) -> Outcome:
    with reading(url) as con:
        now, newest = status(con)
        if now < newest:
            return Outcome(
                (f"{shown} is at schema revision {now} of {newest}: run otari db migrate",), good=False
            )
        report = verify(Session(con, None))
    return Outcome((f"{shown} is at schema revision {now} of {newest}", *_proof(report)), report.clean)


def _told(copied: copying.Copied, done: str) -> Outcome:
    lines = (*(each.text for each in copied.totals), *_proof(copied.report))
    return Outcome((*lines, f"{done}: every count and sum is the same"), copied.report.clean)


def _proof(report: Report) -> Iterator[str]:
    for finding in report.findings[:FINDINGS_SHOWN]:
        yield f"{finding.rule}: {finding.row}: {finding.detail}"
    verdict = "ok" if report.clean else f"{len(report.findings)} findings"
    yield f"books: {verdict}, {report.holds} holds and {report.balances} balances"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _arguments(words: list[str]) -> argparse.Namespace:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", "-c", type=Path, help="configuration file")
    common.add_argument("--database-url", help="sqlite:///... or postgresql://...")
    common.add_argument("--state-dir", help="where the database is by default")
    parser = argparse.ArgumentParser(prog="otarid db", description="The database, without a daemon.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    apply = verbs.add_parser("migrate", parents=[common], help="bring the schema up to date")
    apply.add_argument("--revision", default=HEAD)
    verbs.add_parser("check", parents=[common], help="prove schema and books; a daemon may be serving")
    for verb, says in (
        ("backup", "copy to a new file; a daemon may be serving"),
        ("restore", "fill from one"),
    ):
        verbs.add_parser(verb, parents=[common], help=says).add_argument("file", type=Path)
    verbs.add_parser("copy", parents=[common], help="copy to another database").add_argument(
        "--to", required=True
    )
    return parser.parse_args(words)
