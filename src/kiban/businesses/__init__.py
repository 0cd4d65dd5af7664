"""The content: one folder per business, all of one shape."""
