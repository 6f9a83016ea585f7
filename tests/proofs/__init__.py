"""Proofs of the ledger by crash, by history and by mutation, and what draws them up."""
