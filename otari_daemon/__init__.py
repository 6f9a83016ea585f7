"""otari: an LLM gateway for people who live in a terminal (the daemon)."""

__version__ = "0.1.0"
