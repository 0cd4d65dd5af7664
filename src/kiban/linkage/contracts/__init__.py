"""Contracts: what one system gives another, read, checked, compared and signed."""
