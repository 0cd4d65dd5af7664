"""The national standard as data: load, check, compare, derive, export. Pure."""
