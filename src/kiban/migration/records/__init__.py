"""Records of mainframe files: copybooks read, every byte accounted for, whole blocks decoded at once, proved by writing back."""

from kiban.migration.records.copybook import parse_copybook
from kiban.migration.records.csvfile import decode_csv
from kiban.migration.records.decode import Batch, decimals, decode_block
from kiban.migration.records.framing import Framing
from kiban.migration.records.layout import Copybook, Field, Reading, Record, Table
from kiban.migration.records.places import LEDGER, USES, Place
from kiban.migration.records.proof import Proof, prove
from kiban.migration.records.reader import Source, decode_file, record_count
from kiban.migration.records.sample import LONGEST, TextFields, sample_records, text_fields
from kiban.migration.records.written import Faults, Wrote, framed, laid, write_block, write_field

__all__ = [
    "LEDGER",
    "LONGEST",
    "USES",
    "Batch",
    "Copybook",
    "Faults",
    "Field",
    "Framing",
    "Place",
    "Proof",
    "Reading",
    "Record",
    "Source",
    "Table",
    "TextFields",
    "Wrote",
    "decimals",
    "decode_block",
    "decode_csv",
    "decode_file",
    "framed",
    "laid",
    "parse_copybook",
    "prove",
    "record_count",
    "sample_records",
    "text_fields",
    "write_block",
    "write_field",
]
