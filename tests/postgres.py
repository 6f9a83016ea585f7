"""A PostgreSQL of our own: a cluster per test process, started when first asked for; a database per test."""

from __future__ import annotations

import atexit
import functools
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg2
import pytest

VERSION_MIN = 15
READY_S = 30.0
POLL_S = 0.02
DURABLE = ("-c", "fsync=on")
FAST = ("-c", "fsync=off", "-c", "full_page_writes=off")
_USUAL = ("-c", "listen_addresses=", "-c", "shared_buffers=16MB", "-c", "max_connections=60")
_numbers = itertools.count(1)


class Cluster:
    """A server on a unix socket in a directory of its own; as root it runs as the user `postgres`."""

    def __init__(self, *settings: str) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="otari-pg-", dir="/tmp"))
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.place, owner.pw_uid, owner.pw_gid)
        self._settings = settings
        initdb = (
            programs() / "initdb",
            "-D",
            self.place / "data",
            "-U",
            "otari",
            "--auth=trust",
            "--no-sync",
        )
        _run(*initdb, "--encoding=UTF8", "--locale=C.UTF-8")
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = ("-D", self.place / "data", "-k", self.place, *_USUAL, *self._settings)
        self._log = (self.place / "log").open("ab")
        self.process = subprocess.Popen(
            _as_postgres(programs() / "postgres", *options), stdout=self._log, stderr=self._log
        )
        deadline_s = time.monotonic() + READY_S
        while not self._answers():
            assert time.monotonic() < deadline_s, (self.place / "log").read_text()[-2000:]
            time.sleep(POLL_S)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT asks it to, SIGQUIT is as good as a crash."""
        self.process.send_signal(how)
        self.process.wait(READY_S)
        self._log.close()

    def freeze(self) -> None:
        """Stop every process of the server where it is, so that nothing is answered and nothing refused."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        self._signal(signal.SIGCONT)

    def remove(self) -> None:
        """Stop it, if it runs, and leave nothing behind; a second time is harmless."""
        if self.process.poll() is None:
            self.stop(signal.SIGQUIT)
        shutil.rmtree(self.place, ignore_errors=True)

    def url(self, database: str) -> str:
        """Where a database of this cluster is."""
        return f"postgresql://otari@/{database}?host={self.place}"

    def new_database(self) -> str:
        """Make an empty database; return its URL."""
        name = f"test{next(_numbers)}"
        self.execute("postgres", f"CREATE DATABASE {name}")
        return self.url(name)

    def execute(self, database: str, statement: str) -> None:
        """Run one statement as the server's owner."""
        con = psycopg2.connect(self.url(database))
        con.autocommit = True
        con.cursor().execute(statement)
        con.close()

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.place / "log").read_text()[-2000:]
        try:
            psycopg2.connect(self.url("postgres")).close()
        except psycopg2.OperationalError:
            return False
        return True

    def _signal(self, what: signal.Signals) -> None:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in (self.process.pid, *map(int, children)):
            os.kill(pid, what)


@functools.cache
def cluster() -> Cluster:
    """The cluster of this test process, for tests that are not about durability."""
    made = Cluster(*FAST)
    atexit.register(made.remove)
    return made


@functools.cache
def programs() -> Path:
    """Where the newest installed PostgreSQL has its programs."""
    found = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    usual = shutil.which("initdb")
    places = {int(path.parent.name): path for path in found if path.parent.name.isdigit()}
    if places and max(places) >= VERSION_MIN:
        return places[max(places)]
    if usual is None:
        pytest.fail("PostgreSQL 15 is missing: run scripts/parts.py as root, or apt-get install postgresql")
    return Path(usual).resolve().parent


def _run(*command: str | Path) -> None:
    done = subprocess.run(_as_postgres(*command), capture_output=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr.decode()


def _as_postgres(*command: str | Path) -> list[str]:
    """A command line that dies with its parent and is not root's."""
    user = ("--reuid=postgres", "--regid=postgres", "--clear-groups") if os.geteuid() == 0 else ()
    return ["setpriv", *user, "--pdeathsig=KILL", *map(str, command)]
