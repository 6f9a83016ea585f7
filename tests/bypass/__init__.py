"""The thirty ways to spend past a budget that others were caught by, each tried by name."""
