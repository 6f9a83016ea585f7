"""What leaves for the provider: the caller's bytes, but for the few members that must change."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.domain.intent import OutputLimit
from otari_daemon.wire.chat import ChatWire
from otari_daemon.wire.strict_json import decode

MEMBERS = (
    b'"messages" : [ {"role":"user", "content":"caf\\u00e9 \\ud83d\\ude00 \xe2\x82\xac"} ]',
    b'"temperature":1.0',
    b'"seed": 12345678901234567890',
    b'"logit_bias":{ "50256" :-1e2 }',
    b'"x_unknown":[1,2.50,{"b":null , "a":[]}]',
    b'"metadata":{"user":"\\/slash"}',
)
members_of = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
CHAT = ChatWire()


def body_of(*more: bytes) -> bytes:
    return b"{" + b", ".join([b'"model":"up:echo"', *MEMBERS, *more]) + b"}"


def outgoing(raw: bytes, model: str = "echo", limit: OutputLimit | None = None) -> bytes:
    return CHAT.outgoing(raw, decode(raw), model, limit)


def changed(raw: bytes, sent: bytes) -> dict[str, object]:
    """The members that differ in their bytes, as sent; members gone are None."""
    before, after = members_of(raw), members_of(sent)
    names = [name for name in {**before, **after} if before.get(name, b"") != after.get(name, b"")]
    assert list(after)[: len(before)] == list(before), "members keep their order"
    return {name: json.loads(bytes(after[name])) for name in names}


def test_only_the_models_name_changes_for_a_whole_answer() -> None:
    assert changed(body_of(), outgoing(body_of())) == {"model": "echo"}


def test_a_body_that_needs_no_change_goes_out_byte_for_byte() -> None:
    raw = body_of(b'"stream":true,"stream_options":{"include_usage":true}')

    assert outgoing(raw, "up:echo") is raw


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        (b"", {"include_usage": True}),
        (b',"stream_options":null', {"include_usage": True}),
        (b',"stream_options":{}', {"include_usage": True}),
        (b',"stream_options":{"include_usage":false}', {"include_usage": True}),
        (b',"stream_options":{"include_usage":null}', {"include_usage": True}),
        (b',"stream_options":{"more":[1],"include_usage":false}', {"more": [1], "include_usage": True}),
    ],
)
def test_a_stream_is_asked_for_its_usage(options: bytes, sent: Any) -> None:
    raw = body_of(b'"stream":true' + options)

    assert changed(raw, outgoing(raw)) == {"model": "echo", "stream_options": sent}


@pytest.mark.parametrize("stream", [b'"stream":false', b'"stream":null'])
def test_what_is_no_stream_gets_no_stream_options(stream: Any) -> None:
    assert changed(body_of(stream), outgoing(body_of(stream))) == {"model": "echo"}


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize("given", [b'"x":1', b'"max_tokens":null', b'"max_completion_tokens":null'])
def test_an_answer_without_a_limit_gets_ours_in_the_providers_word(field: str, given: bytes) -> None:
    raw = body_of(given)

    assert changed(raw, outgoing(raw, limit=OutputLimit(field, 4096))) == {"model": "echo", field: 4096}


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
numbers = st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from([f"x_{n}" for n in range(9)]), values),
    st.booleans(),
    st.sampled_from([None, 1, 2]),
    st.booleans(),
)
def test_every_other_member_keeps_its_bytes(
    more: Any, ascii_only: bool, indent: int | None, stream: Any
) -> None:
    body = {"model": "up:echo", **more, "messages": [{"role": "user", "content": "\u00e9"}], "stream": stream}
    raw = json.dumps(body, ensure_ascii=ascii_only, indent=indent).encode()

    sent = changed(raw, outgoing(raw, "renamed", OutputLimit("max_tokens", 7)))

    expected = {"model": "renamed", "max_tokens": 7}
    assert sent == (expected | {"stream_options": {"include_usage": True}} if stream else expected)
