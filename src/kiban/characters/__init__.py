"""Characters of Japanese names: folding for search, length in characters."""
