"""The web: the API between systems."""
