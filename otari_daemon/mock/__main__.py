"""The mock provider as a process: `python -m otari_daemon.mock --port N | --unix PATH`.

Prints one line, `listening on <address>`, once it is; stops on SIGTERM and SIGINT.
"""

import argparse
import asyncio
import signal
from pathlib import Path

import uvloop

from otari_daemon.mock.bill import Bill
from otari_daemon.mock.server import serve


def main() -> None:
    """Read the arguments and serve until a signal."""
    parser = argparse.ArgumentParser(prog="otari mock", description="Serve the mock provider.")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--port", type=int, help="a port of 127.0.0.1; 0 picks a free one")
    place.add_argument("--unix", type=Path, help="a unix socket")
    parser.add_argument("--bill", type=Path, help="append a line per request to this JSONL file")
    args = parser.parse_args()
    at = args.port if args.unix is None else args.unix
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(at, args.bill))


async def _serve(at: int | Path, bill_path: Path | None) -> None:
    bill = Bill(bill_path)
    server = await serve(at, bill=bill, shows_bill=bill_path is not None)
    told = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, told.set)
    print(f"listening on {server.address}", flush=True)
    await told.wait()
    await server.close()
    bill.close()


if __name__ == "__main__":
    main()
