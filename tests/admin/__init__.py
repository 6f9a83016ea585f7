"""The admin edge over a fake control plane."""
