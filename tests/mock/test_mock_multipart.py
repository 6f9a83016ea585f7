"""Forms read as they arrive."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.mock.multipart import MAX_FIELD, MAX_PART_HEAD, MAX_PARTS, Form, boundary_of

FIELD = b'content-disposition: form-data; name="%b"'
FILE = FIELD + b'; filename="%b"\r\ncontent-type: audio/mpeg'


def body_of(*parts: tuple[bytes, bytes]) -> bytes:
    """A form of heads and contents, its boundary being `b`."""
    return b"".join([b"--b\r\n%b\r\n\r\n%b\r\n" % part for part in parts]) + b"--b--\r\n"


def read(body: bytes, kept: int = 1_000, step: int = 1 << 30) -> Form:
    """The form in `body`, which arrives in pieces of `step` bytes."""
    form = Form(b"b", kept)
    for start in range(0, len(body), step):
        form.feed(body[start : start + step])
    form.close()
    return form


@given(
    content=st.lists(st.sampled_from([b"\r", b"\n", b"-", b"b", b"\r\n--", b"\r\n--c", b"x"]))
    .map(b"".join)
    .filter(lambda content: b"\r\n--b" not in content),
    step=st.integers(1, 40),
)
def test_a_form_is_the_same_in_any_pieces(content: bytes, step: int) -> None:
    body = body_of(
        (FIELD % b"model", b"echo"), (FILE % (b"file", b"a.mp3"), content), (FIELD % b"empty", b"")
    )
    form = read(body, step=step)

    assert form.fault is None
    assert (form.field("model"), form.field("empty"), form.field("file")) == ("echo", "", None)
    (file,) = form.files("file")
    assert (file.filename, bytes(file.kept), file.size) == ("a.mp3", content, len(content))


def test_of_a_file_no_more_is_kept_than_asked_for() -> None:
    body = body_of((FILE % (b"file", b"a.mp3"), b"0123456789" * 1_000))
    form = read(body, kept=12, step=100)

    (file,) = form.files("file")
    assert (bytes(file.kept), file.size) == (b"012345678901", 10_000)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"", "ends before"),
        (b"nonsense", "ends before"),
        (body_of((FIELD % b"a", b"x"))[:-4], "ends before"),
        (b"--b\r\nx: y\r\n\r\nz\r\n--b--", "no name"),
        (b"--b\r\n" + b"x" * (MAX_PART_HEAD + 1), "too long a head"),
        (body_of(*[(FIELD % b"a", b"x")] * (MAX_PARTS + 1)), "too many parts"),
        (body_of((FIELD % b"a", b"x" * (MAX_FIELD + 1))), "too large"),
    ],
    ids=["nothing", "no form", "cut", "a nameless part", "a long head", "many parts", "a large field"],
)
def test_a_bad_form_says_what_is_wrong(body: bytes, fault: str) -> None:
    assert fault in (read(body).fault or "")


@pytest.mark.parametrize(
    ("header", "boundary"),
    [
        (b"multipart/form-data; boundary=abc", b"abc"),
        (b'Multipart/Form-Data; charset=utf-8; boundary="a.b"', b"a.b"),
        (b"multipart/form-data", None),
        (b"multipart/form-data; boundary=" + b"x" * 71, None),
        (b"multipart/mixed; boundary=abc", None),
    ],
)
def test_a_boundary_is_found_where_it_is_announced(header: bytes, boundary: bytes | None) -> None:
    assert boundary_of(header) == boundary
