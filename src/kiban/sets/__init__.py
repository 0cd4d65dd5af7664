"""What crosses a border is a set. Its rows have one canonical digest, and two sides of it can be compared."""

from kiban.sets.compare import DIFFERENCES, Comparison, Side, compare
from kiban.sets.digest import (
    BUCKETS,
    Column,
    bucket,
    duckdb_bucket,
    duckdb_digest,
    pieces,
    postgres_bucket,
    postgres_day,
    postgres_digest,
    row_digest,
)

__all__ = [
    "BUCKETS",
    "DIFFERENCES",
    "Column",
    "Comparison",
    "Side",
    "bucket",
    "compare",
    "duckdb_bucket",
    "duckdb_digest",
    "pieces",
    "postgres_bucket",
    "postgres_day",
    "postgres_digest",
    "row_digest",
]
