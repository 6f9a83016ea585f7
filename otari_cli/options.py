"""Options that mean the same in every command, and words that are read the same way."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import typer

from otari_cli.exits import CliError, Exit
from otari_cli.output import Form

Terms = Annotated[
    list[str] | None, typer.Argument(metavar="FILTER", help="Terms like user:ana or cost:>0.01.")
]
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


def day_or_moment(text: str, now: datetime, option: str) -> str:
    """Like `moment` looking back; also `today`, `yesterday`, `mtd` and `ytd`, which begin at midnight UTC."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    words = {
        "today": midnight,
        "yesterday": midnight - timedelta(days=1),
        "mtd": midnight.replace(day=1),
        "ytd": midnight.replace(month=1, day=1),
    }
    return moment(words[text].isoformat() if text in words else text, now, option, ahead=False)


def filter_of(terms: list[str] | None, **named: str | None) -> str | None:
    """One filter from terms and from options that stand for a term each; raise `CliError` for a wrong one."""
    from shlex import quote

    from otari_daemon.protocol.codec import FieldError
    from otari_daemon.protocol.filters import parse_filter

    given = (quote(f"{field}:{value}") for field, value in named.items() if value is not None)
    text = " ".join((*(terms or ()), *given)) or None
    try:
        parse_filter(text, "the filter")
    except FieldError as error:
        raise CliError(str(error), exit_code=Exit.USAGE) from error
    return text


def wrong(option: str, message: str) -> CliError:
    """What to raise for an option whose value cannot be meant."""
    return CliError(f"{option} {message}", exit_code=Exit.USAGE)


def _written(text: str, option: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise wrong(option, "must be a duration or a time, like 30d or 2027-01-31") from error
