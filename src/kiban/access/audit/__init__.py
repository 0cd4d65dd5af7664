"""The audit trail: who did what, when, where and why, to whom; what was written is never changed unseen."""

from kiban.access.audit.kinds import Kind, kinds, sign_in_acts
from kiban.access.audit.line import OUTCOMES, Line, session_mark
from kiban.access.audit.trail import GROWS, Audit, Entry, Lines, Wanted

__all__ = [
    "GROWS",
    "OUTCOMES",
    "Audit",
    "Entry",
    "Kind",
    "Line",
    "Lines",
    "Wanted",
    "kinds",
    "session_mark",
    "sign_in_acts",
]
