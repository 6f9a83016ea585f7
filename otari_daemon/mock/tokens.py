"""What the mock means by a token: a piece of text of at most eight UTF-8 bytes.

A piece is a word part (up to seven letters, digits or underscores, with the one space before it), a
run of up to eight white-space characters, one or two characters beyond ASCII, or one other ASCII
character. No piece is empty, so a text never has more tokens than bytes.
"""

import re
from itertools import cycle, islice

MAX_TOKEN_BYTES = 8

_TOKEN = re.compile(r" ?[A-Za-z0-9_]{1,7}|[ \t\r\n]{1,8}|[^\x00-\x7f]{1,2}|[\x00-\x7f]")

_LOREM = (
    "lorem", " ipsum", " dolor", " sit", " amet", " erat", " sed", " diam", " nonumy", " eirmod",
    " tempor", " ut", " labore", " et", " dolore", " magna",
)  # fmt: skip


def split_tokens(text: str) -> list[str]:
    """The tokens of `text`, in order; joined they are `text` again."""
    return _TOKEN.findall(text)


def count_tokens(text: str) -> int:
    """How many tokens `text` has; at most its length in UTF-8 bytes."""
    return len(_TOKEN.findall(text))


def lorem(tokens: int) -> list[str]:
    """Exactly `tokens` tokens of Latin, in the pieces `split_tokens` would make of them."""
    pieces = list(islice(cycle(_LOREM), tokens))
    for start in range(len(_LOREM), tokens, len(_LOREM)):
        pieces[start] = " lorem"
    return pieces
