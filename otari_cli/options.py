"""Options that mean the same in every command, and words that are read the same way."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import typer

from otari_cli.exits import CliError, Exit
from otari_cli.output import Form

FormOption = Annotated[Form, typer.Option("--output", "-o", help="How to show it; JSON is the contract.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Have the daemon judge it, and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Reason = Annotated[str | None, typer.Option(help="Why, for the audit log.")]


def moment(text: str, now: datetime, option: str, *, ahead: bool) -> str:
    """Read `30d`, `2027-01-31` or an RFC 3339 time as one in UTC; a duration counts from `now`."""
    from datetime import UTC

    from otari_daemon.protocol.codec import FieldError
    from otari_daemon.protocol.shorthand import parse_duration

    try:
        span = timedelta(seconds=parse_duration(text))
        at = now + span if ahead else now - span
    except FieldError:
        at = _written(text, option)
    utc = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def wrong(option: str, message: str) -> CliError:
    """What to raise for an option whose value cannot be meant."""
    return CliError(f"{option} {message}", exit_code=Exit.USAGE)


def _written(text: str, option: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise wrong(option, "must be a duration or a time, like 30d or 2027-01-31") from error
