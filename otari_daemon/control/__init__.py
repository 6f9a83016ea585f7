"""Who may call, what it may cost, what it did."""
