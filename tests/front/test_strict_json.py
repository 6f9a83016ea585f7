"""The strict decoder against a corpus of bodies, and against the standard library."""

from __future__ import annotations

import json
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.wire import strict_json
from otari_daemon.wire.strict_json import ABSENT, InvalidJson, decode, replace_top_level

DEEPEST = strict_json.MAX_DEPTH


def nested(depth: int, innermost: bytes = b"1") -> bytes:
    """An object holding arrays, `depth` containers in all."""
    return b'{"a":' + b"[" * (depth - 1) + innermost + b"]" * (depth - 1) + b"}"


REFUSED: dict[str, list[bytes]] = {
    "byte order mark": [b"\xef\xbb\xbf{}", '{"a":1}'.encode("utf-16"), '{"a":1}'.encode("utf-32")],
    "UTF-16 or UTF-32": ['{"a":1}'.encode(code) for code in ("utf-16-le", "utf-16-be", "utf-32-be")],
    "not UTF-8": [
        b'{"a":"' + bad + b'"}'
        for bad in (
            b"\xff",
            b"\x80",
            b"\xc0\x80",
            b"\xc0\xaf",
            b"\xed\xa0\x80",
            b"\xed\xbf\xbf",
            b"\xf4\x90\x80\x80",
            b"\xf5\x80\x80\x80",
            b"\xe2\x82",
            b"caf\xe9",
        )
    ],
    "same key twice": [
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b'{"a":1,"b":2,"a":3}',
        b'{"a":1,"\\u0061":2}',
        b'{"b":{"a":1,"a":2}}',
        b'{"b":[{"a":1,"a":2}]}',
        b'{"":1,"":2}',
        b'{"a":{},"a":{}}',
        '{"é":1,"\\u00e9":2}'.encode(),
    ],
    "not a JSON number": [b'{"a":NaN}', b'{"a":Infinity}', b'{"a":-Infinity}', b'{"a":[NaN]}'],
    "too large for a double": [b'{"a":1e400}', b'{"a":-1e400}', b'{"a":1e309}', b'{"a":[1.8e308]}'],
    "longer than 400 characters": [b'{"a":0.' + b"1" * 5000 + b"}"],
    "beyond 64 bits": [
        b'{"a":18446744073709551616}',
        b'{"a":-9223372036854775809}',
        b'{"a":100000000000000000000}',
        b'{"a":[123456789012345678901234567890]}',
        b'{"a":' + b"1" * 5000 + b"}",
        b'{"a":-' + b"9" * 5000 + b"}",
    ],
    "half of a surrogate pair": [
        b'{"a":"\\ud800"}',
        b'{"a":"\\udfff"}',
        b'{"a":"\\ud800\\ud800"}',
        b'{"a":"\\udc00\\ud800"}',
        b'{"a":"x\\uD83Dy"}',
        b'{"\\ud800":1}',
        b'{"a":[{"b":"\\udead"}]}',
    ],
    "NUL character": [
        b'{"a":"\\u0000"}',
        b'{"a":"x\\u0000y"}',
        b'{"\\u0000":1}',
        b'{"a":[{"b\\u0000":"c"}]}',
        b'{"a":"\\u0000","b":0}',
        b'{"a" : "\\u0000"}',
    ],
    "levels deep": [
        nested(DEEPEST + 1),
        nested(DEEPEST + 1, b""),
        nested(100_000),
        b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1),
        b" " + nested(DEEPEST + 1),
        b'{"a":' * 100_000,
        b"[" * 100_000,
    ],
    "values": [
        b'{"a":[' + b",".join([b"1"] * strict_json.MAX_NODES) + b"]}",
        b'{"a":[' + b", ".join([b"[]"] * strict_json.MAX_NODES) + b"]}",
    ],
    "a string is longer": [
        b'{"a":"' + b"x" * (strict_json.MAX_STRING_BYTES + 1) + b'"}',
        b'{"a": "' + "é".encode() * (strict_json.MAX_STRING_BYTES // 2 + 1) + b'"}',
        b'{"' + b"x" * (strict_json.MAX_STRING_BYTES + 1) + b'":1}',
    ],
    "must be a JSON object": [
        b"[]",
        b"null",
        b"true",
        b"1",
        b'"a"',
        b"[{}]",
        b"18446744073709551615",
        b" [ ] ",
        b"1.5",
    ],
    "not JSON": [
        b"",
        b" ",
        b"{",
        b"}",
        b"{}{}",
        b"{} x",
        b"{a:1}",
        b"{'a':1}",
        b'{"a":1,}',
        b'{"a":[1,]}',
        b'{"a":}',
        b'{"a"}',
        b'{"a" 1}',
        b'{,"a":1}',
        b'{"a":01}',
        b'{"a":+1}',
        b'{"a":.5}',
        b'{"a":1.}',
        b'{"a":1e}',
        b'{"a":-}',
        b'{"a":0x10}',
        b'{"a":1_000}',
        b'{"a":nul}',
        b'{"a":True}',
        b'{"a":undefined}',
        b'{"a":"\n"}',
        b'{"a":"\t"}',
        b'{"a":"\\x41"}',
        b'{"a":"\\u12"}',
        b'{"a":"\\u12g4"}',
        b'{"a":"\\"}',
        b'{"a":"b}',
        b'{"a":1/*x*/}',
        b'// x\n{"a":1}',
        b'{"a":1}\x00',
        b'{"a":1}\xc2\xa0',
        b'\x0b{"a":1}',
        b'\x0c{"a":1}',
        b'{"a":\xef\xbc\x91}',
        b"{1:2}",
        b"{null:1}",
        b'{"a":1;"b":2}',
        b"model=a&stream=true",
    ],
}

ACCEPTED: dict[bytes, dict[str, Any]] = {
    b"{}": {},
    b' \t\r\n{ "a" : [ ] } ': {"a": []},
    b'{"a":18446744073709551615,"b":-9223372036854775808}': {"a": 2**64 - 1, "b": -(2**63)},
    b'{"a":-0,"b":1E5,"c":1e-400}': {"a": 0, "b": 1e5, "c": 0.0},
    b'{"a":"\\ud83d\\ude00"}': {"a": "\U0001f600"},
    b'{"a":"\\\\u0000"}': {"a": "\\u0000"},
    b'{"a":"\\\\u0000","b":0}': {"a": "\\u0000", "b": 0},
    b'{"a":"\x7f","b":true,"c":null}': {"a": "\x7f", "b": True, "c": None},
    b'{"a":"{[{[","b":"]}"}': {"a": "{[{[", "b": "]}"},
    b'{"a":{"a":{"a":1}}}': {"a": {"a": {"a": 1}}},
    b'{"a":"\\/\\b\\f\\u00e9"}': {"a": "/\b\f\u00e9"},
    '{"a":"é\ufeff\uffff"}'.encode(): {"a": "é\ufeff\uffff"},
    nested(DEEPEST): json.loads(nested(DEEPEST)),
    nested(DEEPEST, b""): json.loads(nested(DEEPEST, b"")),
    b'{"a":"' + b"[" * 5000 + b'"}': {"a": "[" * 5000},
    b'{"a":"' + b'\\",[{' * 250_000 + b'"}': {"a": '",[{' * 250_000},
    b'{"a":[' + b"1," * 199_997 + b"1]}": {"a": [1] * 199_998},
}

CASES = [(reason, body) for reason, bodies in REFUSED.items() for body in bodies]


@pytest.mark.parametrize(("reason", "body"), CASES, ids=lambda part: repr(part[:40]))
def test_a_body_that_could_be_read_in_two_ways_is_refused_in_plain_words(reason: str, body: bytes) -> None:
    with pytest.raises(InvalidJson, match=reason) as caught:
        decode(body)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize("body", ACCEPTED, ids=lambda body: repr(body[:40]))
def test_an_unusual_but_unambiguous_body_is_read(body: bytes) -> None:
    assert decode(body) == ACCEPTED[body]


def test_the_corpus_has_at_least_a_hundred_cases() -> None:
    assert len(CASES) + len(ACCEPTED) >= 100


@pytest.mark.parametrize(
    "body",
    [
        nested(100_000),
        b'{"a":[' + b"[],[]," * 3_000_000 + b"1]}",
        b'{"a":[' + b'"","",' * 3_000_000 + b"1]}",
        b'{"a":[' + (b"[" * 50 + b"]" * 50 + b",") * 200_000 + b"1]}",
        b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
        b'{"a":"' + b"\\u0041" * 1_000_000 + b"\xff" + b'"}',
    ],
    ids=["deep", "wide", "many strings", "brackets", "deep objects", "escapes"],
)
def test_a_hostile_body_is_refused_without_taking_long(body: bytes) -> None:
    began = time.process_time()
    with pytest.raises(InvalidJson):
        decode(body)
    assert time.process_time() - began < 1.0


texts = st.text(alphabet=st.characters(exclude_characters="\0", codec="utf-8"))
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)
objects = st.dictionaries(texts, values, max_size=6)
styles = st.fixed_dictionaries(
    {
        "ensure_ascii": st.booleans(),
        "separators": st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t: ")]),
        "indent": st.sampled_from([None, 2]),
    }
)


@given(obj=objects, style=styles)
def test_a_good_body_reads_as_the_standard_library_reads_it(
    obj: dict[str, Any], style: dict[str, Any]
) -> None:
    body = json.dumps(obj, **style).encode()
    assert repr(decode(body)) == repr(json.loads(body))


@given(obj=objects, style=styles, at=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_what_is_accepted_after_damage_the_standard_library_reads_the_same(
    obj: dict[str, Any], style: dict[str, Any], at: int, byte: int
) -> None:
    body = bytearray(json.dumps(obj, **style).encode())
    body[at % len(body)] = byte
    try:
        read = decode(bytes(body))
    except InvalidJson:
        return
    assert read == json.loads(bytes(body))


@given(obj=objects, style=styles, changes=st.dictionaries(texts, values | st.just(ABSENT), max_size=4))
def test_replacing_changes_what_it_names_and_no_other_byte(
    obj: dict[str, Any], style: dict[str, Any], changes: dict[str, Any]
) -> None:
    body = json.dumps(obj, **style).encode()
    expected = {**obj, **changes}
    expected = {name: value for name, value in expected.items() if value is not ABSENT}

    replaced = replace_top_level(body, decode(body), changes)

    assert json.loads(replaced) == json.loads(json.dumps(expected))
    assert list(json.loads(replaced)) == list(expected)
    before, after = spelling(body), spelling(replaced)
    assert all(after[name] == before[name] for name in obj.keys() - changes.keys())


def spelling(body: bytes) -> dict[str, bytes]:
    """The bytes of each top-level value."""
    return {name: bytes(raw) for name, raw in msgspec.json.decode(body, type=dict[str, msgspec.Raw]).items()}


def test_replacing_keeps_spelling_of_other_values() -> None:
    body = b'{ "model":"a", "t" : 1.50e0, "s":"\\u0041\\/", "o": { "x" : [1 , 2] } }'
    replaced = replace_top_level(body, decode(body), {"model": "b", "n": 1})
    assert replaced == b'{"model":"b","t":1.50e0,"s":"\\u0041\\/","o":{ "x" : [1 , 2] },"n":1}'


def test_a_change_that_changes_nothing_returns_the_body_itself() -> None:
    body = b'{ "model": "a", "stream": true }'
    assert replace_top_level(body, decode(body), {"model": "a", "stream": True, "x": ABSENT}) is body
    assert replace_top_level(body, decode(body), {"stream": 1}) == b'{"model":"a","stream":1}'
