"""Moments at which something ends, as people say them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated

import typer

from otari_cli.options import moment, wrong

UntilOption = Annotated[
    str | None, typer.Option(help="When it ends: 18:00 here, +2h, 2027-01-31T18:00:00Z.", metavar="TIME")
]
ForOption = Annotated[
    str | None, typer.Option("--for", help="How long it lasts: 30m, 2h, 1d.", metavar="SPAN")
]

_WALL = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


def ending(until: str | None, lasting: str | None, now: datetime) -> str | None:
    """An RFC 3339 time from `--until` or `--for`; None if neither is given. Raises `CliError`."""
    if until is not None and lasting is not None:
        raise wrong("--until", "and --for say the same; give one")
    if lasting is not None:
        return moment(lasting, now, "--for", ahead=True)
    if until is None:
        return None
    wall = _WALL.fullmatch(until)
    if wall is None:
        return moment(until.removeprefix("+"), now, "--until", ahead=True)
    return moment(next_at(int(wall[1]), int(wall[2]), now).isoformat(), now, "--until", ahead=True)


def next_at(hour: int, minute: int, now: datetime) -> datetime:
    """The next moment at which clocks here show a time, later than `now`."""
    here = now.astimezone().replace(tzinfo=None)
    today = here.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return (today if today > here else today + timedelta(days=1)).astimezone()
