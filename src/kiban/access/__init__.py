"""Who may do what: systems and their tokens."""
