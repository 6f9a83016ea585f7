"""Where processes run, and what CPU time they took."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

GATEWAY_CORE = 0
LOAD_CORE = 1


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started inside runs on `core`, and so do its threads and children; the caller comes back."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_ns(pid: int) -> int:
    """Nanoseconds of CPU a process, its threads and its children have used; those that ended do not count."""
    used = 0
    with suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            used += int((task / "schedstat").read_text().split()[0])
            used += sum(cpu_ns(int(child)) for child in (task / "children").read_text().split())
    return used
