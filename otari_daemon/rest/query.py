"""What stands behind the question mark of a request, read strictly."""

from __future__ import annotations

from dataclasses import replace
from typing import cast, get_args
from urllib.parse import unquote

from falcon.asgi import Request

from otari_daemon.domain.errors import NotFound
from otari_daemon.protocol import codec
from otari_daemon.protocol.codec import FieldError
from otari_daemon.protocol.messages import Bucket, BudgetAssign, Grouping, ReportQuery, UsageQuery
from otari_daemon.rest.operations import Actor

ACTOR = "otari.actor"
"""Where in the scope an edge says who is asking."""

LIMIT_MAX = 1000
LIMIT_DEFAULT = 100
SKIP_MAX = 1 << 31
REASON_CHARS_MAX = 500
REPORT_ROWS_MAX = 10_000

_WRITES = frozenset({"dry_run", "reason"})
_USAGE = frozenset(UsageQuery.__dataclass_fields__)
_REPORT = frozenset(ReportQuery.__dataclass_fields__)
_PREDECESSOR = {"start_date": "since", "end_date": "until", "user_id": "user"}
_SPAN = (("since", "start_date"), ("until", "end_date"))
_SERIES = frozenset({"bucket", *_SPAN[0], *_SPAN[1]})
_ANSWERS = {"true": True, "1": True, "false": False, "0": False}


def named(raw: str) -> str:
    """An id or name out of a path as it was sent. Raises NotFound for one that no database can hold."""
    wanted = unquote(raw)
    if "\0" in wanted:
        raise NotFound("nothing here has a name with a zero byte in it")
    return wanted


def none(req: Request) -> None:
    """Refuse any parameter."""
    _params(req, frozenset())


def page(req: Request) -> tuple[int, int]:
    """Read `skip` and `limit` of a list."""
    params = _params(req, frozenset({"skip", "limit"}))
    return _skip(params), _limit(params)


def write(req: Request) -> tuple[Actor, bool]:
    """Read who changes something and why, and whether it is a dry run."""
    return _write(req, _params(req, _WRITES))


def unassign(req: Request) -> tuple[BudgetAssign, Actor, bool]:
    """Read the holder that a DELETE names, and what `write` reads."""
    params = _params(req, _WRITES | {"holder_kind", "holder_id"})
    holder = {name: params[name] for name in ("holder_kind", "holder_id") if name in params}
    return codec.accept(BudgetAssign, holder), *_write(req, params)


def usage(req: Request) -> UsageQuery:
    """Read which usage rows are wanted; the predecessor's names for them are understood."""
    return _usage(_params(req, _USAGE | _PREDECESSOR.keys()))


def summary(req: Request) -> tuple[Grouping, UsageQuery]:
    """Read `by`, and which usage rows to add up."""
    params = _params(req, _USAGE | _PREDECESSOR.keys() | {"by"})
    by = params.pop("by", "model")
    if by not in get_args(Grouping):
        raise FieldError("by", f"must be one of {', '.join(get_args(Grouping))}")
    return cast("Grouping", by), _usage(params)


def series(req: Request) -> tuple[Bucket, str | None, str | None]:
    """Read `bucket`, and from when to when to add up in buckets of time."""
    params = _params(req, _SERIES)
    bucket = params["bucket"]
    if bucket not in get_args(Bucket):
        raise FieldError("bucket", f"must be one of {', '.join(get_args(Bucket))}")
    since, until = (params.get(name, params.get(other)) for name, other in _SPAN)
    return cast("Bucket", bucket), since, until


def report(req: Request) -> ReportQuery:
    """Read what a report is to add up."""
    params: dict[str, object] = dict(_params(req, _REPORT))
    if "limit" in params:
        params["limit"] = _number(_params(req, _REPORT), "limit", REPORT_ROWS_MAX, (1, REPORT_ROWS_MAX))
    return codec.accept(ReportQuery, params)


def unprice(req: Request) -> tuple[str | None, Actor, bool]:
    """Read the version that a DELETE names, if it names one, and what `write` reads."""
    params = _params(req, _WRITES | {"effective_at"})
    return params.get("effective_at"), *_write(req, params)


def one(req: Request, name: str) -> str | None:
    """Read the only parameter there may be."""
    return _params(req, frozenset({name})).get(name)


def after(req: Request) -> str | None:
    """Read the cursor to resume after, from the query or from `Last-Event-ID`."""
    return _params(req, frozenset({"after"})).get("after") or req.get_header("Last-Event-ID")


def _params(req: Request, known: frozenset[str] | set[str]) -> dict[str, str]:
    """The parameters, each at most once; one that is misspelled must not be passed over."""
    for name, value in req.params.items():
        if name not in known:
            raise FieldError(name, "is not a parameter here")
        if not isinstance(value, str):
            raise FieldError(name, "is given more than once")
        if not value.isprintable():
            raise FieldError(name, "must be printable text")
    return cast("dict[str, str]", dict(req.params))


def _write(req: Request, params: dict[str, str]) -> tuple[Actor, bool]:
    dry_run = _ANSWERS.get(params.get("dry_run", "false"))
    if dry_run is None:
        raise FieldError("dry_run", "must be true or false")
    reason = params.get("reason") or None
    if reason is not None and len(reason) > REASON_CHARS_MAX:
        raise FieldError("reason", f"must be at most {REASON_CHARS_MAX} characters")
    actor: Actor = req.scope[ACTOR]
    return replace(actor, reason=reason), dry_run


def _usage(params: dict[str, str]) -> UsageQuery:
    named: dict[str, object] = {_PREDECESSOR.get(name, name): value for name, value in params.items()}
    named["skip"], named["limit"] = _skip(params), _limit(params)
    return codec.accept(UsageQuery, named)


def _skip(params: dict[str, str]) -> int:
    return _number(params, "skip", 0, (0, SKIP_MAX))


def _limit(params: dict[str, str]) -> int:
    return _number(params, "limit", LIMIT_DEFAULT, (1, LIMIT_MAX))


def _number(params: dict[str, str], name: str, default: int, bounds: tuple[int, int]) -> int:
    text = params.get(name, str(default))
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else -1
    if not bounds[0] <= number <= bounds[1]:
        raise FieldError(name, f"must be a whole number from {bounds[0]} to {bounds[1]}")
    return number
