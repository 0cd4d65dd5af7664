"""The proof of a load by an independent path: DuckDB over the decoded files on one side, PostgreSQL over its rows on the other."""

from kiban.migration.proof.certificate import Register, certificate, not_protected, protected, reasons
from kiban.migration.proof.counts import Cell, count, total
from kiban.migration.proof.declared import DECLARED, Declared, declared
from kiban.migration.proof.protection import PROTECTION, in_source, in_store, table
from kiban.migration.proof.rows import DIFFERENCES, Compared, compare
from kiban.migration.proof.shield import Judged, Measure, Place, Shield, judge
from kiban.migration.proof.side import Decoded, engine

__all__ = [
    "DECLARED",
    "DIFFERENCES",
    "PROTECTION",
    "Cell",
    "Compared",
    "Declared",
    "Decoded",
    "Judged",
    "Measure",
    "Place",
    "Register",
    "Shield",
    "certificate",
    "compare",
    "count",
    "declared",
    "engine",
    "in_source",
    "in_store",
    "judge",
    "not_protected",
    "protected",
    "reasons",
    "table",
    "total",
]
