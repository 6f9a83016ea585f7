"""What can go wrong between the book and the disk."""

from __future__ import annotations


class StoreError(Exception):
    """The database cannot be used; the message is one line for the operator."""


class LedgerCorrupt(StoreError):
    """The rows contradict the book: nothing more is written until somebody has looked."""


class StoreUnavailable(StoreError):
    """The database cannot be written at the moment; the same call may succeed later."""


class CommitInDoubt(StoreUnavailable):
    """A commit was sent and its answer is lost: it has happened, or it has not."""
