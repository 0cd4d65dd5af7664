"""A city with pages of those who run and audit it."""
