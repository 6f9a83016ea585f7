"""Serving one wire format from a provider that speaks another: pure functions over dictionaries and bytes."""
