"""Evidence: who gave what to whom, in hash-chained lines on both sides, written before it is delivered and matched each day."""

from kiban.kernel import JAPAN, day_of, moments, stamp
from kiban.linkage.evidence.book import BookLedger
from kiban.linkage.evidence.daily import root
from kiban.linkage.evidence.file import FileLedger
from kiban.linkage.evidence.ledger import Ledger
from kiban.linkage.evidence.line import (
    OUTCOMES,
    RECEIVED,
    SENT,
    WAYS,
    Entry,
    Line,
    encode,
    genesis,
    message_digest,
    of_message,
    seal,
    unit_hash,
)
from kiban.linkage.evidence.matching import Difference, Matched, match
from kiban.linkage.evidence.secret import city_secret
from kiban.linkage.evidence.summary import FlowDay, summary
from kiban.linkage.evidence.verifying import Verdict, verify
from kiban.linkage.evidence.writing import before_sending, before_taking
from kiban.sets import Root

__all__ = [
    "JAPAN",
    "OUTCOMES",
    "RECEIVED",
    "SENT",
    "WAYS",
    "BookLedger",
    "Difference",
    "Entry",
    "FileLedger",
    "FlowDay",
    "Ledger",
    "Line",
    "Matched",
    "Root",
    "Verdict",
    "before_sending",
    "before_taking",
    "city_secret",
    "day_of",
    "encode",
    "genesis",
    "match",
    "message_digest",
    "moments",
    "of_message",
    "root",
    "seal",
    "stamp",
    "summary",
    "unit_hash",
    "verify",
]
