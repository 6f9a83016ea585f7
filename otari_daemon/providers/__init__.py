"""The foreign world of upstream HTTP: who the providers are and how they are reached."""
