"""Install what the tests and the bench need beyond Python packages: Debian's packages, as root when root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PARTS = {
    "openssl": "openssl",
    "nginx": "nginx-light",
    "wrk": "wrk",
    "tmux": "tmux",
    "initdb": "postgresql",
}
"""Program to the Debian package that has it."""


def main() -> None:
    """Install what is missing; exit 1 with the command to run where that is not possible."""
    servers = map(str, Path("/usr/lib/postgresql").glob("*/bin"))
    path = ":".join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin", *servers))
    missing = sorted({package for program, package in PARTS.items() if not shutil.which(program, path=path)})
    if not missing:
        return
    if os.getuid() != 0 or shutil.which("apt-get") is None:
        sys.exit(f"missing parts; as root: apt-get install {' '.join(missing)}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], check=True, env=quiet)
    subprocess.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing],
        check=True,
        env=quiet,
        stdout=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    main()
