"""The life of one request: authenticate, admit, relay, settle."""
