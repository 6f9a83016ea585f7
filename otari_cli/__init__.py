"""The `otari` command. It knows the daemon by its admin protocol only."""
