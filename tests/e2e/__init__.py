"""The daemon as users run it: spawned, spoken to by real clients, killed."""
