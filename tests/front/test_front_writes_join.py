"""A small answer leaves in one write, and a head that nothing follows leaves by itself."""

from __future__ import annotations

import asyncio

from otari_daemon.front.writes import JOINED_BYTES_MAX, JoinedHead


class Wire(asyncio.Transport):
    """Keeps what is written, write by write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data) -> None:
        self.writes.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


async def test_a_head_leaves_with_the_body_that_follows_at_once():
    wire = Wire()
    joined = JoinedHead(asyncio.get_running_loop(), wire)

    joined.write(b"head;")
    joined.write(b"body")
    joined.write(b"more")
    await asyncio.sleep(0)

    assert wire.writes == [b"head;body", b"more"]


async def test_a_head_that_nothing_follows_leaves_at_the_end_of_the_turn():
    wire = Wire()
    joined = JoinedHead(asyncio.get_running_loop(), wire)

    joined.write(b"head;")
    await asyncio.sleep(0)
    joined.write(b"body")

    assert wire.writes == [b"head;", b"body"]


async def test_a_large_body_is_not_copied_to_join_it():
    wire = Wire()
    joined = JoinedHead(asyncio.get_running_loop(), wire)

    joined.write(b"head;")
    joined.write(b"b" * (JOINED_BYTES_MAX + 1))

    assert [len(write) for write in wire.writes] == [5, JOINED_BYTES_MAX + 1]


async def test_closing_sends_what_is_kept_first_and_a_closed_wire_gets_nothing():
    wire, dead = Wire(), Wire()
    joined, late = (JoinedHead(asyncio.get_running_loop(), each) for each in (wire, dead))

    joined.write(b"head;")
    joined.close()
    late.write(b"head;")
    dead.close()
    await asyncio.sleep(0)

    assert (wire.writes, wire.closed, dead.writes) == ([b"head;"], True, [])
