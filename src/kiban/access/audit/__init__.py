"""The audit trail: who did what, when, where and why, to whom; what was written is never changed unseen."""

from kiban.access.audit import analyses
from kiban.access.audit.keeper import Keeper, keeper
from kiban.access.audit.kinds import Kind, kinds, sign_in_acts
from kiban.access.audit.ledger import Ledger
from kiban.access.audit.line import OUTCOMES, Line, session_mark
from kiban.access.audit.root_files import read_root, root_bytes
from kiban.access.audit.sealing import Sealed, seal_trail, sign_day
from kiban.access.audit.seals import Block
from kiban.access.audit.trail import GROWS, Audit, Entry, Lines, Wanted
from kiban.access.audit.verifying import Verdict, verify
from kiban.access.audit.walks import missing

__all__ = [
    "GROWS",
    "OUTCOMES",
    "Audit",
    "Block",
    "Entry",
    "Keeper",
    "Kind",
    "Ledger",
    "Line",
    "Lines",
    "Sealed",
    "Verdict",
    "Wanted",
    "analyses",
    "keeper",
    "kinds",
    "missing",
    "read_root",
    "root_bytes",
    "seal_trail",
    "session_mark",
    "sign_day",
    "sign_in_acts",
    "verify",
]
