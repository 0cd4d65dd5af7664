"""Measurements at the size of a real city. `python -m bench --help` says how; results depend on the machine."""
