"""Which requests are meant, as people type it: `user:ana model:gpt-* status:>=400 cost:>0.01 !tag:run`.

Terms are separated by spaces and all of them must hold; `!` in front turns one around. Text fields take
names with `*` for anything, several separated by commas; number fields take a number, or one after `>`,
`>=`, `<` or `<=`. `tag:team=search` is one tag, `tag:team` any of that name; `took` takes `500ms`, `2s`
or `3m`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from otari_daemon.protocol.codec import FieldError
from otari_daemon.protocol.messages import Refusal, UsageRow

FILTER_CHARS_MAX = 1000
TERMS_MAX = 32
STARS_MAX = 4

TEXT_FIELDS = ("key", "user", "model", "provider", "endpoint", "reason", "tag", "request")
NUMBER_FIELDS = ("status", "cost", "in", "out", "tokens", "took")
GROUPED_FIELDS = frozenset({"key", "user", "model", "provider", "endpoint", "status", "tag"})
"""What is also known of requests that have been added up."""

Value = str | int | tuple[str, ...] | None
Look = Callable[[str], Value]

_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "": operator.eq, ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip
_TERM = re.compile(r"(!?)([a-z]+):(.+)", re.DOTALL)
_NUMBER = re.compile(r"(>=|<=|>|<|)(\$?)([0-9]{1,12})(?:\.([0-9]{1,9}))?(ms|s|m|)")
_TOOK_MS = {"": 1, "ms": 1, "s": 1000, "m": 60_000}


class TextTerm(NamedTuple):
    """A text field that must, or must not, match one of some patterns."""

    field: str
    patterns: tuple[str, ...]
    negated: bool

    def holds(self, value: Value) -> bool:
        """Whether any of a request's values for the field matches."""
        values = value if isinstance(value, tuple) else (value or "",)
        found = any(matches(pattern, str(each)) for pattern in self.patterns for each in values)
        return found is not self.negated


class NumberTerm(NamedTuple):
    """A number field compared with a whole number, in the field's own unit."""

    field: str
    comparison: str
    number: int
    negated: bool

    def holds(self, value: Value) -> bool:
        """Whether a request's number compares as it should; one that is not known never does."""
        if not isinstance(value, int):
            return self.negated
        return _COMPARE[self.comparison](value, self.number) is not self.negated


class ExactTerm(NamedTuple):
    """A text field that must have one value, in which a star is a star."""

    field: str
    value: str

    def holds(self, value: Value) -> bool:
        """Whether any of a request's values for the field is the one."""
        return self.value in value if isinstance(value, tuple) else self.value == value


Term = TextTerm | NumberTerm | ExactTerm


@dataclass(frozen=True, slots=True)
class Filter:
    """Terms that must all hold."""

    terms: tuple[Term, ...] = ()

    def holds(self, look: Look) -> bool:
        """Whether every term holds for what `look` says of a field; costs in nano-USD, times in ms."""
        return all(term.holds(look(term.field)) for term in self.terms)

    def beyond(self, known: frozenset[str]) -> str | None:
        """A field that is asked about and not among the known ones, if there is one."""
        return next((term.field for term in self.terms if term.field not in known), None)

    def exactly(self, field: str) -> str | None:
        """The one value a field must have, if the terms name one."""
        for term in self.terms:
            if isinstance(term, TextTerm) and term.field == field and not term.negated:
                (first, *more) = term.patterns
                if not more and "*" not in first:
                    return first
        return None


EVERYTHING = Filter()


def parse_filter(text: str | None, field: str = "where") -> Filter:
    """Read a filter; raise `FieldError` naming the term that cannot be meant."""
    if not text:
        return EVERYTHING
    if len(text) > FILTER_CHARS_MAX:
        raise FieldError(field, f"must be at most {FILTER_CHARS_MAX} characters")
    words = _words(text, field)
    if len(words) > TERMS_MAX:
        raise FieldError(field, f"must have at most {TERMS_MAX} terms")
    return Filter(tuple(_term(word, field) for word in words))


def with_exact(wanted: Filter, **named: str | None) -> Filter:
    """A filter that also wants these fields to have exactly these values, as far as they are given."""
    given = {field: value for field, value in named.items() if value is not None}
    return Filter((*wanted.terms, *(ExactTerm(field, value) for field, value in given.items())))


def matches(pattern: str, text: str) -> bool:
    """Whether text is a pattern in which each `*` stands for anything."""
    if "*" not in pattern:
        return pattern == text
    first, *middle, last = pattern.split("*")
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def look_at(row: UsageRow) -> Look:
    """What a filter looks at of a usage row."""

    def look(field: str) -> Value:
        return _LOOKS[field](row)

    return look


def look_at_refusal(refusal: Refusal) -> Look:
    """What a filter looks at of a refusal: who, what and the status; the rest is not known."""
    known: dict[str, Value] = {
        "key": tuple(each for each in (refusal.api_key_id, refusal.key_name) if each) or None,
        "user": refusal.user_id,
        "model": refusal.model,
        "endpoint": refusal.endpoint,
        "request": refusal.request_id,
        "reason": refusal.code,
        "status": refusal.status_code,
    }
    return known.get


def tag_pairs(tags: dict[str, str]) -> tuple[str, ...]:
    """Tags as a filter sees them: each as `name=value`."""
    return tuple(f"{name}={value}" for name, value in tags.items())


_LOOKS: dict[str, Callable[[UsageRow], Value]] = {
    "key": lambda row: tuple(each for each in (row.api_key_id, row.key_name) if each) or None,
    "user": lambda row: row.user_id,
    "model": lambda row: row.model,
    "provider": lambda row: row.provider,
    "endpoint": lambda row: row.endpoint,
    "reason": lambda row: row.reason,
    "request": lambda row: row.request_id,
    "tag": lambda row: tag_pairs(row.tags),
    "status": lambda row: row.status_code or 0,
    "cost": lambda row: None if row.cost_usd is None else _scaled(row.cost_usd),
    "in": lambda row: row.prompt_tokens,
    "out": lambda row: row.completion_tokens,
    "tokens": lambda row: row.total_tokens,
    "took": lambda row: None if row.duration_ms is None else round(row.duration_ms),
}


def _words(text: str, field: str) -> list[str]:
    import shlex

    try:
        return shlex.split(text)
    except ValueError as error:
        raise FieldError(field, "has a quotation mark that is not closed") from error


def _term(word: str, field: str) -> Term:
    match = _TERM.fullmatch(word)
    name = match[2] if match else ""
    if match is None or name not in (*TEXT_FIELDS, *NUMBER_FIELDS):
        known = ", ".join((*TEXT_FIELDS, *NUMBER_FIELDS))
        raise FieldError(field, f"cannot be {word!r}: a term reads field:value, with a field of {known}")
    if name in TEXT_FIELDS:
        patterns = tuple(_pattern(name, each, field) for each in match[3].split(","))
        return TextTerm(name, patterns, bool(match[1]))
    return _number_term(name, match[3], bool(match[1]), field)


def _pattern(name: str, text: str, field: str) -> str:
    if not text or text.count("*") > STARS_MAX:
        raise FieldError(field, f"needs a value of at most {STARS_MAX} stars in each place of {name}:")
    return f"{text}=*" if name == "tag" and "=" not in text and "*" not in text else text


def _number_term(name: str, text: str, negated: bool, field: str) -> NumberTerm:
    match = _NUMBER.fullmatch(text)
    if match is None or not _fits(name, match):
        raise FieldError(field, f"needs a number after {name}:, like {_LIKE[name]}")
    comparison, _, whole, fraction, unit = match.groups()
    if name == "cost":
        return NumberTerm(name, comparison, _scaled(f"{whole}.{fraction or 0}"), negated)
    factor = _TOOK_MS[unit]
    return NumberTerm(
        name,
        comparison,
        int(whole) * factor + int(fraction or 0) * factor // 10 ** len(fraction or ""),
        negated,
    )


_LIKE = {
    "status": ">=400", "cost": ">0.01", "in": ">1000", "out": ">1000", "tokens": ">1000", "took": ">2s",
}  # fmt: skip


def _fits(name: str, match: re.Match[str]) -> bool:
    _, dollar, _, fraction, unit = match.groups()
    return (
        (not dollar or name == "cost")
        and (fraction is None or name in ("cost", "took"))
        and (not unit or name == "took")
    )


def _scaled(dollars: str) -> int:
    """Decimal dollars as nano-USD."""
    whole, _, fraction = dollars.partition(".")
    return int(whole) * 1_000_000_000 + int(fraction[:9].ljust(9, "0"))
