"""What the daemon and the `otari` command say to each other. Standard library only, and a leaf."""
