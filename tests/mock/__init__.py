"""The mock provider, seen from its wire."""
