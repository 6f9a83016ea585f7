"""The public edge: HTTP in, HTTP out, nothing decided."""
