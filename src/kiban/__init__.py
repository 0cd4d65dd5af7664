"""Kiban: the platform under the core systems of a Japanese designated city."""
