"""Laws and tables of the pure code that decides about money."""
