"""The wires the mock speaks: one answer, as each of the APIs writes it; one file per wire."""
