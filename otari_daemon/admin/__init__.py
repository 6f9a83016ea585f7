"""The operator's edge: JSON on the unix socket, for `otari` and scripts. Nothing is decided here."""
