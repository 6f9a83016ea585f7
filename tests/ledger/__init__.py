"""Proofs about money: what the book decides and what the database keeps."""
