"""Usage added up for people: by whatever they ask, beside the time before, and with what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from otari_daemon.control.actor import Actor
from otari_daemon.control.operations import values
from otari_daemon.control.operations.desk import Desk, audit
from otari_daemon.domain.errors import InvalidField
from otari_daemon.domain.grains import DAY_MS, Grain, end_of, start_of
from otari_daemon.domain.money import format_usd
from otari_daemon.domain.tags import split_tags
from otari_daemon.protocol.filters import GROUPED_FIELDS, Filter, Value, parse_filter, tag_pairs
from otari_daemon.protocol.messages import Rebuilt, Report, ReportQuery, ReportRow
from otari_daemon.store import reports as store
from otari_daemon.store.cells import Counts, Series
from otari_daemon.store.reports import Answer, Group, Question, Sums
from otari_daemon.telemetry.clock import rfc3339

GROUPS_MAX = 10_000
WORDS_MAX = 4
SPAN_DAYS_MAX = 366
SPAN_DAYS = 30
"""What is added up when nobody says since when."""

HOURLY_DAYS_MAX = 31
TAG = "tag:"

_FIELDS = ("key", "user", "model", "provider", "endpoint", "status")
_EVERY = {"hour": Grain.HOUR, "day": Grain.DAY, "month": Grain.MONTH}
_STAMP = {Grain.HOUR: 13, Grain.DAY: 10, Grain.MONTH: 7}
"""How much of an RFC 3339 time names a bucket."""

NameOf = Callable[[str], str | None]


class Grouping(NamedTuple):
    """What a report is by: words in the order they were given, and the bucket among them, if any."""

    words: tuple[str, ...]
    every: Grain | None

    @property
    def tagged(self) -> bool:
        """Whether tags tell groups apart."""
        return any(word.startswith(TAG) for word in self.words)


class Reporter:
    """Answers what usage adds up to."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def report(self, query: ReportQuery) -> Report:
        """Add up the requests of a span, at most 366 days. Raises InvalidField and FieldError."""
        by, wanted = grouping(query.by), summable(query.where)
        since_ms, until_ms = self.span(query.since, query.until)
        trend = _EVERY.get(query.trend or "")
        _check(by, trend, since_ms, until_ms)
        ask = question(self._desk, by, wanted, (since_ms, until_ms))._replace(every=by.every or trend)
        found = await self._desk.read(store.gather, ask)
        before: Answer | None = None
        if query.compare is not None:
            span_ms = until_ms - since_ms
            past = ask._replace(since_ms=max(0, since_ms - span_ms), until_ms=since_ms, every=None)
            before = await self._desk.read(store.gather, past)
        exact = await self._desk.read(store.exact)
        rows = _rows(by, found, before, None if by.every else trend)
        rows.sort(key=_ORDER[query.sort], reverse=query.sort != "name")
        return Report(
            by.words,
            rfc3339(since_ms),
            rfc3339(until_ms),
            tuple(rows[: min(query.limit, GROUPS_MAX)]),
            _total(found, before),
            len(rows),
            exact,
        )

    async def rebuild(self, actor: Actor) -> Rebuilt:
        """Build what reports are made of anew from the rows, while serving goes on."""
        audit("rebuild", "usage", actor)
        began_ns = self._desk.clock.monotonic_ns()
        done = await self._desk.rebuild_usage()
        return Rebuilt(done, (self._desk.clock.monotonic_ns() - began_ns) // 1_000_000)

    def span(self, since: str | None, until: str | None) -> tuple[int, int]:
        """The moments a report lies between; without any, the last 30 days and today."""
        now_ms = self._desk.clock.now_ms()
        until_ms = end_of(Grain.HOUR, now_ms) if until is None else values.point(until, "until", now_ms)
        day_ms = start_of(Grain.DAY, now_ms)
        since_ms = day_ms - SPAN_DAYS * DAY_MS if since is None else values.point(since, "since", now_ms)
        if until_ms - since_ms > SPAN_DAYS_MAX * DAY_MS:
            raise InvalidField(f"a report spans at most {SPAN_DAYS_MAX} days", param="since")
        return since_ms, until_ms


def grouping(by: str) -> Grouping:
    """Read what to group by. Raises InvalidField for a word that is none, is there twice, or is too many."""
    words = tuple(word.strip() for word in by.split(",")) if by else ()
    for word in words:
        if word not in (*_FIELDS, *_EVERY) and not (word.startswith(TAG) and len(word) > len(TAG)):
            known = ", ".join((*_FIELDS, *_EVERY))
            raise InvalidField(f"by {word!r} is not possible: by {known} or tag:<name>", param="by")
    every = [_EVERY[word] for word in words if word in _EVERY]
    if len(set(words)) < len(words) or len(words) > WORDS_MAX or len(every) > 1:
        raise InvalidField(
            f"by takes up to {WORDS_MAX} different words, at most one of them a time", param="by"
        )
    return Grouping(words, every[0] if every else None)


def summable(where: str | None) -> Filter:
    """Read a filter. Raises InvalidField when it looks at what is known of single requests only."""
    wanted = parse_filter(where)
    beyond = wanted.beyond(GROUPED_FIELDS)
    if beyond is not None:
        raise InvalidField(f"{beyond} is known of single requests only, not of sums", param="where")
    return wanted


def question(desk: Desk, by: Grouping, wanted: Filter, span_ms: tuple[int, int]) -> Question:
    """What to ask of the cells; for filters that look at nothing but `GROUPED_FIELDS`."""
    place = partial(_placed, by.words, wanted, desk.seats.name_of)
    tagged = by.tagged or any(term.field == "tag" for term in wanted.terms)
    return Question(*span_ms, place, by.every, tagged)


def by_cost(by: Grouping, found: Answer) -> list[ReportRow]:
    """The groups of an answer, dearest first."""
    return sorted(_rows(by, found, None, None), key=_cost, reverse=True)


def _check(by: Grouping, trend: Grain | None, since_ms: int, until_ms: int) -> None:
    hourly = Grain.HOUR in (by.every, trend)
    if hourly and until_ms - since_ms > HOURLY_DAYS_MAX * DAY_MS:
        raise InvalidField(f"by hour spans at most {HOURLY_DAYS_MAX} days", param="by")


def _placed(words: tuple[str, ...], wanted: Filter, name_of: NameOf, series: Series) -> Group | None:
    """The group of a series, None where the filter does not hold; a bucket's name is put in later."""
    if not wanted.holds(partial(_look, series, name_of)):
        return None
    return tuple(_named(series, word, name_of) for word in words)


def _look(series: Series, name_of: NameOf, field: str) -> Value:
    if field == "key":
        return tuple(each for each in (series.key_id, name_of(series.key_id)) if each)
    if field == "tag":
        return tag_pairs(split_tags(series.tags))
    found: Value = store.series_value(series, field)
    return found


def _named(series: Series, word: str, name_of: NameOf) -> str:
    if word == "key":
        return name_of(series.key_id) or series.key_id
    if word in _EVERY:
        return ""
    if word.startswith(TAG):
        return split_tags(series.tags).get(word[len(TAG) :], "")
    return str(store.series_value(series, word))


def _rows(by: Grouping, found: Answer, before: Answer | None, trend: Grain | None) -> list[ReportRow]:
    past = {group: sums for (_, group), sums in before.items()} if before is not None else {}
    if trend is not None:
        return _trends(found, None if before is None else past)
    rows = []
    for (bucket_ms, group), sums in found.items():
        shown = group if by.every is None else _stamped(by.words, group, _stamp(by.every, bucket_ms))
        previous = past.get(group, _NONE) if before is not None and by.every is None else None
        rows.append(_row(shown, sums, previous))
    return rows


def _stamp(every: Grain, bucket_ms: int) -> str:
    return rfc3339(bucket_ms)[: _STAMP[every]]


def _stamped(words: tuple[str, ...], group: Group, stamp: str) -> Group:
    return tuple(stamp if word in _EVERY else part for word, part in zip(words, group, strict=True))


def _trends(found: Answer, past: dict[Group, Sums] | None) -> list[ReportRow]:
    buckets = sorted({bucket for bucket, _ in found})
    rows = []
    for group in dict.fromkeys(group for _, group in found):
        parts = [found.get((bucket, group), _NONE) for bucket in buckets]
        costs = tuple(format_usd(part.counts.cost) for part in parts)
        rows.append(_row(group, _sum(parts), None if past is None else past.get(group, _NONE), costs))
    return rows


def _row(group: Group, sums: Sums, previous: Sums | None, trend: tuple[str, ...] = ()) -> ReportRow:
    counts, tokens = sums.counts, sums.counts.tokens
    return ReportRow(
        group,
        counts.requests,
        sums.errors,
        tokens.input_tokens,
        counts.cache_read,
        counts.cache_write + counts.cache_write_1h,
        tokens.output_tokens,
        counts.reasoning,
        format_usd(counts.cost),
        counts.duration_us / counts.requests / 1000 if counts.requests else None,
        None if previous is None else previous.counts.requests,
        None if previous is None else format_usd(previous.counts.cost),
        trend,
    )


def _total(found: Answer, before: Answer | None) -> ReportRow:
    return _row((), _sum(list(found.values())), None if before is None else _sum(list(before.values())))


def _sum(parts: list[Sums]) -> Sums:
    if not parts:
        return _NONE
    columns = zip(*(part.counts for part in parts), strict=True)
    return Sums(Counts(*map(sum, columns)), sum(part.errors for part in parts))


_NONE = Sums(Counts(), 0)


def _cost(row: ReportRow) -> tuple[int, int, Group]:
    whole, _, fraction = row.cost_usd.partition(".")
    return int(whole), int(fraction.ljust(9, "0")), row.group


_ORDER: dict[str, Callable[[ReportRow], tuple[object, ...]]] = {
    "cost": _cost,
    "requests": lambda row: (row.requests, row.group),
    "tokens": lambda row: (row.prompt_tokens + row.completion_tokens, row.group),
    "name": lambda row: row.group,
}
