"""Who runs under which idempotency key now, and what is told to those who come second."""

from __future__ import annotations

from collections import Counter

from otari_daemon.domain.errors import (
    AlreadyCompleted,
    KeyInUse,
    KeyReused,
    KeysExhausted,
    LedgerUnavailable,
)
from otari_daemon.domain.idempotency import (
    ANSWER_BYTES_MAX,
    ANSWER_BYTES_PER_KEY_MAX,
    NAMES_PER_KEY_MAX,
    RETENTION_MS,
    Claim,
    Kept,
    Scoped,
)
from otari_daemon.domain.limits import seconds_up
from otari_daemon.store import idempotency
from otari_daemon.store.errors import StoreUnavailable
from otari_daemon.store.idempotency import EXPIRED_PER_WRITE, Found, Room
from otari_daemon.store.store import Store

_MS_NS = 1_000_000


class Claims:
    """The names in use: in memory while their requests run, in the database for a day.

    Bounded by the requests in flight and those whose settlement waits for the disk.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._live: dict[Scoped, Claim] = {}
        self._of_key: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._live)

    async def take(self, scoped: Scoped, fingerprint: bytes, now_ms: int) -> Claim | Kept:
        """Claim a name for one request, or give the answer it has had.

        Raises KeyInUse, KeyReused, AlreadyCompleted, KeysExhausted, LedgerUnavailable.
        """
        running = self._live.get(scoped)
        if running is not None:
            raise _taken(running.fingerprint == fingerprint)
        claim = self._live[scoped] = Claim(scoped, fingerprint)
        self._of_key[scoped.key_id] += 1
        try:
            earlier = await self._store.read(idempotency.look_up, scoped, now_ms - RETENTION_MS)
            if isinstance(earlier, Room):
                return self._granted(claim, earlier, now_ms)
            kept = _answer_of(earlier, fingerprint)
        except StoreUnavailable as error:
            self.release(claim)
            raise LedgerUnavailable("the ledger cannot be read now; retry") from error
        except BaseException:
            self.release(claim)
            raise
        self.release(claim)
        return kept

    async def expire(self, now_ms: int) -> None:
        """Remove the rows of names that nobody is told of any more; some at a time, until none are left."""
        removed = EXPIRED_PER_WRITE
        while removed == EXPIRED_PER_WRITE:  # fewer rows each time
            removed = await self._store.write(idempotency.expire, now_ms - RETENTION_MS)

    def release(self, claim: Claim) -> None:
        """The name's request is over, or was never admitted; a claim that is not there is no error."""
        if self._live.get(claim.scoped) is claim:
            del self._live[claim.scoped]
            key_id = claim.scoped.key_id
            self._of_key[key_id] -= 1
            if not self._of_key[key_id]:
                del self._of_key[key_id]

    def keep(self, claim: Claim, rid: bytes, kept: Kept) -> None:
        """Queue an answer to be kept, ahead of its settlement; one too large, or in hard times, is not."""
        if len(kept.body) <= claim.room_bytes and self._store.available:
            self._store.offer(idempotency.keep, claim.scoped, rid, kept)

    def _granted(self, claim: Claim, room: Room, now_ms: int) -> Claim:
        """The claim with its room for an answer; `claim` stands for it in memory no longer."""
        if room.names + self._of_key[claim.scoped.key_id] > NAMES_PER_KEY_MAX:
            left_ms = max(0, room.oldest_ms + RETENTION_MS - now_ms) if room.names else 0
            raise KeysExhausted(
                f"this API key has used {NAMES_PER_KEY_MAX} idempotency keys in 24 hours, its most; "
                "retry later, or without the header",
                retry_after_s=max(1, seconds_up(left_ms * _MS_NS)),
            )
        left = max(0, ANSWER_BYTES_PER_KEY_MAX - room.answer_bytes)
        granted = Claim(claim.scoped, claim.fingerprint, min(ANSWER_BYTES_MAX, left))
        self._live[claim.scoped] = granted
        return granted


def _taken(same: bool) -> KeyInUse | KeyReused:
    return KeyInUse("a request with this idempotency key is running; retry") if same else _reused()


def _reused() -> KeyReused:
    return KeyReused("this idempotency key was used with another body; use a new key for a new request")


def _answer_of(earlier: Found, fingerprint: bytes) -> Kept:
    """The answer to give again, or the refusal that says why there is none."""
    if earlier.fingerprint != fingerprint:
        raise _reused()
    if earlier.completed is None:
        raise _taken(True)
    if earlier.kept is None:
        raise AlreadyCompleted(
            "the request with this idempotency key has ended and its answer was not kept; "
            "its usage is in this error; use a new key to ask again",
            completed=earlier.completed,
        )
    return earlier.kept
