"""Records of mainframe files: copybooks read, every byte accounted for, whole blocks decoded at once, proved by writing back."""

from kiban.migration.records.copybook import parse_copybook
from kiban.migration.records.layout import Copybook, Field, Record, Reading

__all__ = [
    "Copybook",
    "Field",
    "Reading",
    "Record",
    "parse_copybook",
]
