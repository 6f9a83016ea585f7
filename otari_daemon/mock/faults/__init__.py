"""The faults by name, as `fault:<name>[:number]` asks for them; one file per kind."""

from otari_daemon.mock.faults import bodies, framing, sse, statuses, timing, transport, usage
from otari_daemon.mock.faults.table import Fault
from otari_daemon.mock.models import read_number
from otari_daemon.mock.refusal import Refused

MAX_NUMBER = 1 << 30

FAULTS: dict[str, Fault] = {
    **usage.FAULTS,
    **transport.FAULTS,
    **timing.FAULTS,
    **statuses.FAULTS,
    **framing.FAULTS,
    **sse.FAULTS,
    **bodies.FAULTS,
}


def find_fault(name: str, *args: str) -> tuple[Fault, int]:
    """The fault and its number; `Refused` (400) if the name or the number is no good."""
    fault = FAULTS.get(name)
    if fault is None:
        raise Refused(400, f"there is no fault called {name!r}")
    if len(args) > (0 if fault.default is None else 1):
        raise Refused(400, f"fault {name!r} has too many arguments")
    return fault, read_number(f"fault:{name}", args[0], MAX_NUMBER) if args else fault.default or 0
