"""otari in front of a real model; `make real-upstream` puts that together."""
