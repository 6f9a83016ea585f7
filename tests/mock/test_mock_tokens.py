"""Laws of the mock's tokens."""

from hypothesis import given
from hypothesis import strategies as st

from otari_daemon.mock import count_tokens, split_tokens
from otari_daemon.mock.tokens import MAX_TOKEN_BYTES, lorem

texts = st.text() | st.text(alphabet="ab 1_.\n\t\u00e9\U0001f600\u6f22")


@given(texts)
def test_tokens_joined_are_the_text_again(text: str) -> None:
    assert "".join(split_tokens(text)) == text


@given(texts)
def test_a_text_has_no_more_tokens_than_bytes_and_no_token_is_long(text: str) -> None:
    sizes = [len(token.encode()) for token in split_tokens(text)]

    assert all(1 <= size <= MAX_TOKEN_BYTES for size in sizes)
    assert count_tokens(text) == len(sizes) <= len(text.encode())


@given(texts, st.integers(0, 20))
def test_a_text_cut_between_tokens_keeps_its_tokens(text: str, kept: int) -> None:
    first = split_tokens(text)[:kept]

    assert split_tokens("".join(first)) == first


@given(st.integers(0, 200))
def test_lorem_is_exactly_as_many_tokens_as_asked_for(tokens: int) -> None:
    pieces = lorem(tokens)

    assert len(pieces) == tokens
    assert split_tokens("".join(pieces)) == pieces


def test_tokens_are_words_with_their_space_runs_of_white_space_and_signs() -> None:
    assert split_tokens("Hello, world!  42 internationally") == [
        *("Hello", ",", " world", "!", "  ", "42", " interna", "tionall", "y")
    ]
