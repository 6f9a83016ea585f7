"""The database: what the book did, in the order it did it, and what operators have set up."""
