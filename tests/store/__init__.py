"""The database: its file, its schema, its writer and its queries."""
