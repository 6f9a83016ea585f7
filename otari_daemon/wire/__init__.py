"""Wire formats: pure functions over bytes and dictionaries, with no clock and no I/O."""
