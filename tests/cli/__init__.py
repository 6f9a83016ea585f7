"""The `otari` command, against a served admin edge."""
