"""Tags of a request: its body's as far as they can be kept, its header's on top, or a refusal."""

from __future__ import annotations

from typing import Any

import pytest

from otari_daemon.domain.errors import InvalidRequest
from otari_daemon.domain.intent import Intent
from otari_daemon.domain.tags import TAGS_MAX, split_tags
from otari_daemon.wire.request_tags import HEADER_BYTES_MAX, tags_header, with_tags

ASKED = Intent("up:echo", False, 1, 1, 1)


def tags(body: dict[str, Any], header: bytes | None = None) -> dict[str, str]:
    """The tags of such a request, as a row's reader sees them."""
    return split_tags(with_tags(ASKED, body, header).tags)


def test_a_header_wins_over_metadata_and_that_over_the_user() -> None:
    body = {"user": "ana", "metadata": {"user": "bob", "team": "a", "n": "1"}}

    assert tags(body) == {"user": "bob", "team": "a", "n": "1"}
    assert tags(body, b"team=b, pr=812") == {"user": "bob", "team": "b", "n": "1", "pr": "812"}


@pytest.mark.parametrize(
    "body",
    [
        {"user": 7},
        {"user": ""},
        {"user": "a\nb"},
        {"metadata": "text"},
        {"metadata": None},
        {"metadata": {"n": 1, "a b": "c", "": "x", "deep": {"a": "b"}}},
    ],
)
def test_what_a_provider_may_take_and_a_tag_cannot_be_is_not_kept(body: dict[str, Any]) -> None:
    assert tags(body) == {}


def test_a_body_keeps_as_many_tags_as_there_may_be() -> None:
    body = {"metadata": {f"n{number}": "x" for number in range(TAGS_MAX + 5)}}

    assert len(tags(body)) == TAGS_MAX
    with pytest.raises(InvalidRequest, match="at most"):
        tags(body, b"one=more")


@pytest.mark.parametrize("header", [b"team", b"a b=c", b"=x", b"n=\xff", b"n=" + b"x" * HEADER_BYTES_MAX])
def test_a_header_that_is_not_tags_is_refused_by_its_name(header: bytes) -> None:
    with pytest.raises(InvalidRequest, match="Otari-Tags") as caught:
        tags({}, header)

    assert caught.value.param == "otari-tags"


def test_a_header_given_twice_is_one_list() -> None:
    assert tags_header([(b"otari-tags", b"a=1"), (b"host", b"x"), (b"otari-tags", b"b=2")]) == b"a=1,b=2"
    assert tags_header([(b"host", b"x")]) is None
