"""The public edge, without its pipeline."""
