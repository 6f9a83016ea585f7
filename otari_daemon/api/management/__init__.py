"""The management API on TCP: the same operations as the admin socket's, for whoever has the master key."""
